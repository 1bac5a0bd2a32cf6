// Headers sort in place: nothing is asked of the server, directories stay first, and reload and back keep the order.

import { hold, rows } from './frame.mjs';

const ORDERS = {
  name: ['apple.txt', 'photo2.jpg', 'photo10.jpg', 'Zebra.txt'],
  size: ['photo10.jpg', 'Zebra.txt', 'apple.txt', 'photo2.jpg'],
  date: ['photo2.jpg', 'apple.txt', 'photo10.jpg', 'Zebra.txt'],
};
const COLUMNS = { name: 0, size: 1, date: 2 };

const order = async (page) => (await rows(page)).map((row) => row.href);
const state = (page) =>
  page.$$eval('table thead th', (cells) => cells.map((cell) => cell.getAttribute('aria-sort') ?? 'none'));

export default async function sorting(frame) {
  for (const width of [390, 1000]) {
    await frame.page({ viewport: { width, height: 800 } }, async (page) => {
      await page.goto(frame.address('order/above/'));
      await holds(page, 'name', 'ascending', 'as it comes');
      const asked = [];
      page.on('request', (request) => asked.push(request.url()));
      for (const column of ['size', 'date', 'name']) {
        const button = page.locator('table thead th').nth(COLUMNS[column]).locator('button');
        await button.click();
        const first = (await state(page))[COLUMNS[column]];
        hold(['ascending', 'descending'].includes(first), `aria-sort of ${column} is`, first);
        await holds(page, column, first, `${column}, once`);
        hold(new URL(page.url()).hash.includes('sort='), 'the order is not in the fragment:', page.url());
        await button.click();
        await holds(page, column, first === 'ascending' ? 'descending' : 'ascending', `${column}, twice`);
      }
      hold(asked.length === 0, 'sorting has asked the server for', asked);

      await page.locator('table thead th').nth(COLUMNS.size).locator('button').click();
      const [sized, way] = [await order(page), (await state(page))[COLUMNS.size]];
      await frame.screenshot(page, `sorted-${width}`);
      await page.reload();
      hold((await order(page)).join() === sized.join(), 'after a reload the order is', await order(page));
      await page.locator('table tbody a[href="d/"]').click();
      await page.waitForURL('**/d/');
      await page.goBack();
      await page.waitForURL('**/above/*');
      hold((await order(page)).join() === sized.join(), 'after the way there and back the order is', await order(page));
      await holds(page, 'size', way, 'after the way there and back');
      await page.goto('about:blank');
      await page.goto(frame.address('order/above/#sort=-size&filter=photo'));
      const left = (await rows(page)).filter((row) => !row.isHidden).map((row) => row.href);
      hold(left.join() === 'photo2.jpg,photo10.jpg', '#sort=-size&filter=photo gives', left);
    });
  }
}

async function holds(page, column, way, when) {
  const wanted = way === 'ascending' ? ORDERS[column] : [...ORDERS[column]].reverse();
  const found = await order(page);
  hold(found.join() === ['d/', ...wanted].join(), `${when}: the order is`, found);
  const states = await state(page);
  hold(states[COLUMNS[column]] === way, `${when}: aria-sort is`, states);
  hold(states.filter((one) => one !== 'none').length === 1, `${when}: more than one column is sorted by:`, states);
}
