// Every link leads to the file whose name it shows, whatever the name.

import fs from 'node:fs';
import path from 'node:path';

import { hold } from './frame.mjs';

export default async function names(frame) {
  // As on a phone, where a long name has several lines to be clicked on.
  await frame.page({ isFiles: true, viewport: { width: 390, height: 800 } }, async (page) => {
    const count = await walk(frame, page, 'names/', Buffer.from(path.join(frame.site, 'names')));
    hold(count > 70, `only ${count} names were followed`);
  });
}

// Clicks on each link of the listing, and goes on into directories. The directory is bytes, for its name may
// be no text. Returns how many files there were.
async function walk(frame, page, place, directory) {
  const address = frame.address(place);
  await page.goto(address);
  const links = await page.$$eval('table tbody a', (found) => found.map((link) => link.getAttribute('href')));
  const entries = fs.readdirSync(directory, { encoding: 'buffer' });
  let count = 0;
  const met = new Set();
  for (const [index, link] of links.entries()) {
    if (link === '../') continue;
    hold(!link.includes('?') && !link.includes('#'), 'a link of more than a path:', link);
    // latin1 keeps bytes as they are, so that a name is compared by its bytes and not as text.
    const name = bytes(link.replace(/^\.\//, '').replace(/\/$/, ''));
    hold(entries.some((entry) => entry.equals(name)), 'a link to what is not there:', link);
    met.add(name.toString('latin1'));
    const file = Buffer.concat([directory, Buffer.from('/'), name]);
    if (fs.statSync(file).isDirectory()) {
      hold(link.endsWith('/'), 'a directory without a slash:', link);
      count += await walk(frame, page, place + link, file);
      await page.goto(address);
    } else {
      const content = await click(page, index, link, address);
      hold(content.equals(fs.readFileSync(file)), `${place}${link} is another file:`, content.toString('latin1'));
      count += 1;
    }
  }
  hold(met.size === entries.length, `${place}: ${met.size} links for ${entries.length} entries`);
  return count;
}

// What comes when the link is clicked: the browser shows it or keeps it, as its type may be.
async function click(page, index, link, address) {
  const answered = page.waitForResponse((response) => response.request().isNavigationRequest());
  const kept = page.waitForEvent('download', { timeout: 0 }).catch(() => null);
  await page.locator('table tbody a').nth(index).click();
  const response = await answered;
  hold(response.status() === 200, `${link}: status ${response.status()}`);
  const type = response.headers()['content-type'];
  if (/^text\/(plain|html)/.test(type)) {
    const content = await response.body();
    await page.waitForURL((url) => url.href !== address);
    await page.goto(address);
    return content;
  }
  const download = await kept;
  return fs.readFileSync(await download.path());
}

function bytes(link) {
  return Buffer.from(link.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1');
}
