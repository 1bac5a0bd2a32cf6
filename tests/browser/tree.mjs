// tree.mjs DIRECTORY: what is served to the browser, beside the odd names that ../clients/tree makes: entries of every
// kind and size, a directory of 2,000, one to sort, and a sound of a minute.

import fs from 'node:fs';
import path from 'node:path';

const root = process.argv[2];
const inside = (...names) => path.join(root, ...names);

// Sizes about every place where the unit or the number of figures changes. Large ones are holes.
fs.mkdirSync(inside('kinds'));
const sizes = [
  0, 1, 999, 1000, 1023, 1024, 9949, 9950, 999_499, 999_500, 10_000_000, 2 ** 32 - 1, 2 ** 32, 5_000_000_000,
];
for (const size of sizes) {
  const name = inside('kinds', `${size} bytes.bin`);
  fs.writeFileSync(name, '');
  fs.truncateSync(name, size);
}
fs.utimesSync(inside('kinds', '1 bytes.bin'), 0, 0);
fs.utimesSync(inside('kinds', '999 bytes.bin'), 4_000_000_000, 4_000_000_000);
fs.mkdirSync(inside('kinds', 'empty directory'));
fs.mkdirSync(inside('kinds', 'directory'));
fs.writeFileSync(inside('kinds', 'directory', 'one.txt'), 'one\n');
fs.symlinkSync('directory', inside('kinds', 'link to a directory'));
fs.symlinkSync('1 bytes.bin', inside('kinds', 'link to a file'));
fs.symlinkSync('nowhere', inside('kinds', 'dangling link'));
fs.symlinkSync('../../outside', inside('kinds', 'link out of the root'));
fs.writeFileSync(inside('kinds', 'unreadable.txt'), 'nobody reads this\n');
fs.chmodSync(inside('kinds', 'unreadable.txt'), 0);
fs.writeFileSync(inside('kinds', `${'a name of 118 characters with spaces '.repeat(4).slice(0, 114)}.txt`), '118\n');
fs.writeFileSync(inside('kinds', `${'x'.repeat(251)}.txt`), '255\n');
fs.writeFileSync(inside('kinds', `${'語'.repeat(83)}.txt`), '253 bytes\n');
fs.writeFileSync(Buffer.concat([Buffer.from(inside('kinds', 'not ')), Buffer.from('\xff UTF-8.txt', 'latin1')]), 'x\n');

fs.mkdirSync(inside('many'));
for (let index = 0; index < 2000; index += 1) {
  fs.writeFileSync(inside('many', `entry ${index}.txt`), `${index}\n`);
}

// Name, size and date give three different orders; one directory, which stays before the files in each.
fs.mkdirSync(inside('order', 'above', 'd'), { recursive: true });
const ordered = [['photo10.jpg', 5, 3], ['photo2.jpg', 2000, 1], ['Zebra.txt', 30, 4], ['apple.txt', 400, 2]];
for (const [name, size, day] of ordered) {
  fs.writeFileSync(inside('order', 'above', name), 'x'.repeat(size));
  fs.utimesSync(inside('order', 'above', name), day * 86_400, day * 86_400);
}

// A minute of a tone that rises, 16 bits, 48,000 times a second, on two channels: more than a browser fetches ahead.
const rate = 48_000;
const seconds = 60;
const data = Buffer.alloc(rate * seconds * 4);
for (let index = 0; index < rate * seconds; index += 1) {
  const value = Math.round(3000 * Math.sin((index * (200 + index / rate / 2) * 2 * Math.PI) / rate));
  data.writeInt16LE(value, index * 4);
  data.writeInt16LE(value, index * 4 + 2);
}
const head = Buffer.alloc(44);
head.write('RIFF', 0);
head.writeUInt32LE(36 + data.length, 4);
head.write('WAVEfmt ', 8);
head.writeUInt32LE(16, 16);
head.writeUInt16LE(1, 20);
head.writeUInt16LE(2, 22);
head.writeUInt32LE(rate, 24);
head.writeUInt32LE(rate * 4, 28);
head.writeUInt16LE(4, 32);
head.writeUInt16LE(16, 34);
head.write('data', 36);
head.writeUInt32LE(data.length, 40);
fs.mkdirSync(inside('media'));
fs.writeFileSync(inside('media', 'tone.wav'), Buffer.concat([head, data]));
fs.writeFileSync(
  inside('media', 'index.html'),
  '<!doctype html>\n<meta charset=utf-8>\n<title>A tone</title>\n<link rel=icon href="data:,">\n' +
    '<audio src=tone.wav preload=metadata></audio>\n',
);
