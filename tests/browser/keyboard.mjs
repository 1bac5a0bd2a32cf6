// By keys alone: `/` filters, arrows walk, Enter follows, Backspace goes up. And without scripts nothing is missing.

import { hold, rows } from './frame.mjs';

const shown = async (page) => (await rows(page)).filter((row) => !row.isHidden).map((row) => row.name.text);

// Which link has the focus, by what it leads to; null for none.
const focused = (page) =>
  page.evaluate(() => document.activeElement?.closest('tr')?.querySelector('a')?.getAttribute('href') ?? null);

// What a person or a link may filter by, and how many odd names have it in them; none is markup, or a pattern.
const FILTERS = [['.*', 0], ['*', 1], ['<b>', 1], ['100%', 1], ['[', 2], ['\\', 2], ['&amp;', 1], ['日本', 2]];

export default async function keyboard(frame) {
  await frame.page({ viewport: { width: 1000, height: 800 } }, async (page) => {
    await page.goto(frame.address('order/above/'));
    const all = await shown(page);
    const links = (await rows(page)).map((row) => row.href);

    await page.keyboard.press('/');
    const input = page.locator('input[type=search]');
    hold(await input.evaluate((one) => one === document.activeElement), '/ does not lead to the filter');
    hold((await input.inputValue()) === '', '/ was typed into the filter');
    await page.keyboard.type('PHOTO');
    hold((await shown(page)).join() === ['photo2.jpg', 'photo10.jpg'].join(), 'PHOTO filters to', await shown(page));
    await frame.screenshot(page, 'filtered');
    await page.keyboard.type('1');
    hold((await shown(page)).join() === 'photo10.jpg', 'PHOTO1 filters to', await shown(page));
    hold(new URL(page.url()).hash.includes('filter=PHOTO1'), 'the filter is not in the fragment:', page.url());
    await page.keyboard.press('Backspace');
    hold((await shown(page)).length === 2, 'Backspace in the filter does not take a letter back');
    hold(page.url().includes('/order/above/'), 'Backspace in the filter leads away');

    // Arrows walk what is shown, from the filter down; at the ends they stay.
    await page.keyboard.press('ArrowDown');
    hold((await focused(page)) === 'photo2.jpg', 'the first ArrowDown leads to', await focused(page));
    await page.keyboard.press('ArrowDown');
    hold((await focused(page)) === 'photo10.jpg', 'the second ArrowDown leads to', await focused(page));
    await page.keyboard.press('ArrowDown');
    hold((await focused(page)) === 'photo10.jpg', 'ArrowDown at the end leads to', await focused(page));
    await page.keyboard.press('ArrowUp');
    hold((await focused(page)) === 'photo2.jpg', 'ArrowUp leads to', await focused(page));
    await frame.screenshot(page, 'walked');

    // A filter outlives a reload, and the way there and back.
    await page.reload();
    hold((await shown(page)).length === 2, 'after a reload the filter is gone:', await shown(page));
    await page.keyboard.press('/');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    hold((await shown(page)).join() === all.join(), 'without a filter there are', await shown(page));

    // Enter follows a link, back comes back, and Backspace goes up.
    await page.keyboard.press('ArrowDown');
    for (let steps = 0; steps < 3 && (await focused(page)) !== 'd/'; steps += 1) await page.keyboard.press('ArrowDown');
    hold((await focused(page)) === 'd/', 'the directory was not walked to, but', await focused(page), 'of', links);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/order/above/d/');
    await page.keyboard.press('Backspace');
    await page.waitForURL((url) => url.pathname === '/order/above/');
    await page.keyboard.press('Backspace');
    await page.waitForURL((url) => url.pathname === '/order/');
    await page.keyboard.press('Backspace');
    await page.waitForURL((url) => url.pathname === '/');
    // There is nothing above the root: the page stays the same one.
    await page.evaluate(() => (window.isSame = true));
    await page.keyboard.press('Backspace');
    await page.waitForTimeout(300);
    hold(await page.evaluate(() => window.isSame === true), 'Backspace at the root leads to', page.url());
  });

  await frame.page({ viewport: { width: 390, height: 800 } }, async (page) => {
    for (const [filter, count] of FILTERS) {
      await page.goto(frame.address('names/'));
      await page.locator('input[type=search]').fill(filter);
      const left = await shown(page);
      hold(left.length === count, `the filter ${filter} leaves`, left);
      await page.reload();
      const again = await shown(page);
      hold(again.join() === left.join(), `after a reload the filter ${filter} leaves`, again);
    }
  });

  // 2,000 entries filter between two keys.
  await frame.page({ viewport: { width: 1000, height: 800 } }, async (page) => {
    await page.goto(frame.address('many/'));
    await page.keyboard.press('/');
    await page.keyboard.type('199');
    hold((await shown(page)).length === 12, '199 leaves', (await shown(page)).length, 'of 2,000');
  });

  // Without scripts: the whole listing, and no tool that does nothing.
  const plain = { isFiles: true, viewport: { width: 1000, height: 800 }, javaScriptEnabled: false };
  await frame.page(plain, async (page) => {
    await page.goto(frame.address('order/above/'));
    hold((await page.locator('table tbody tr').count()) >= 5, 'rows are missing without scripts');
    const isVisible = await page.locator('input[type=search]').isVisible();
    hold(!isVisible, 'without scripts there is a filter that does nothing');
    await page.locator('table tbody a[href="apple.txt"]').click();
    await page.waitForURL('**/apple.txt');
  });
}
