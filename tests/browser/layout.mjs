// Nothing of a listing is lost at any width, by day or night.

import fs from 'node:fs';
import path from 'node:path';

import { hold, rows } from './frame.mjs';

const PLACES = [
  '', 'kinds/', 'kinds/empty%20directory/', 'names/', 'names/nested/one/two/three/', 'many/', 'order/above/',
];

export default async function layout(frame) {
  const grounds = {};
  for (const width of [390, 1000]) {
    for (const colorScheme of ['light', 'dark']) {
      for (const place of PLACES) {
        const what = `${place || '/'} at ${width} px, ${colorScheme}:`;
        await frame.page({ viewport: { width, height: 800 }, colorScheme }, async (page) => {
          const answer = await page.goto(frame.address(place));
          hold(answer.status() === 200, what, answer.status());
          hold(answer.headers()['content-security-policy'], what, 'there is no Content-Security-Policy');
          const name = place.replace(/%20|\//g, '-').replace(/-$/, '') || 'root';
          await frame.screenshot(page, `${name}-${width}-${colorScheme}`);
          const { scroll, client } = await page.evaluate(() => ({
            scroll: document.documentElement.scrollWidth,
            client: document.documentElement.clientWidth,
          }));
          hold(scroll <= client, what, `the page is ${scroll} px wide and the window ${client}`);
          await complete(page, path.join(frame.site, decodeURIComponent(place)), client, what);
          grounds[colorScheme] = await page.evaluate(() => {
            const { backgroundColor, color } = getComputedStyle(document.body);
            return `${backgroundColor} ${color} ${getComputedStyle(document.documentElement).backgroundColor}`;
          });
        });
      }
    }
  }
  hold(grounds.light !== grounds.dark, 'by day and night the page has the same colours:', grounds.light);
}

// A row for each entry, with its name, a date, and a size if it is a file, all of it inside the window.
async function complete(page, directory, width, what) {
  const found = await rows(page);
  const entries = fs.readdirSync(directory, { encoding: 'buffer' }).filter((name) => name[0] !== 0x2e);
  hold(found.length === entries.length, what, `${found.length} rows for ${entries.length} entries`);
  const files = entries.filter((name) => {
    try {
      return fs.statSync(Buffer.concat([Buffer.from(`${directory}/`), name])).isFile();
    } catch {
      return false; // a link to nowhere
    }
  });
  const sized = found.filter((row) => row.size);
  hold(sized.length >= files.length, what, `${sized.length} rows have a size, and there are ${files.length} files`);
  for (const row of found) {
    hold(row.name?.text, what, 'a row without a name');
    hold(row.date?.text, what, 'no date for', row.name.text);
    for (const part of [row.name, row.size, row.date].filter(Boolean)) {
      hold(part.isShown, what, 'not to be seen:', part.text, 'of', row.name.text);
      hold(part.left >= -0.5 && part.right <= width + 0.5, what, 'cut off:', part.text, 'of', row.name.text);
    }
  }
}
