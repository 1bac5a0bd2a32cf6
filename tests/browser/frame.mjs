// What every check has: a browser, a page that may not complain, the requests that the server has seen.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

// Not in this tree, so it cannot be imported by its name.
const { chromium } = createRequire(path.join(process.env.PLAYWRIGHT, '/'))('playwright-core');

// The sandbox needs what a container often lacks. Without the rest a browser looks for updates and the like.
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--mute-audio', '--autoplay-policy=no-user-gesture-required',
];

// Milliseconds that anything on a page may take.
const PATIENCE = 10_000;

export class Failed extends Error {}

export function hold(condition, ...what) {
  if (!condition) {
    throw new Failed(what.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(' '));
  }
}

export class Frame {
  constructor(url, site, log, screenshots) {
    Object.assign(this, { url, site, log, screenshots });
  }

  async start() {
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS, headless: true });
    return this;
  }

  async stop() {
    await this.browser?.close();
  }

  // Hands a page to `work`, and fails if the page has complained by then: an error in the console, of a script, or a
  // breach of its own Content-Security-Policy. `isFiles` says that files are opened, too: a browser asks for an icon of
  // each, and complains that there is none; a listing has to name its own.
  async page({ isFiles = false, ...options }, work) {
    const context = await this.browser.newContext({ acceptDownloads: true, ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      if (isFiles && message.location().url.endsWith('/favicon.ico')) return;
      complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    try {
      await work(page);
      hold(complaints.length === 0, 'the page complains:', complaints.join('; '));
    } finally {
      await context.close();
    }
  }

  address(place) {
    return new URL(place, this.url).href;
  }

  async screenshot(page, name) {
    await page.screenshot({ path: path.join(this.screenshots, `${name}.png`), fullPage: false });
  }

  // The lines of the access log so far. What was asked before stands in it: a line is written when its answer has gone,
  // so a mark is asked for and waited for.
  async requests() {
    const mark = `/mark-${Math.random()}`;
    await fetch(this.address(mark));
    for (let tries = 0; tries < 100; tries += 1) {
      const lines = fs.readFileSync(this.log, 'latin1').split('\n');
      if (lines.some((line) => line.includes(mark))) return lines.filter((line) => line && !line.includes('/mark-'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Failed('the access log lacks a request');
  }
}

// The entries' rows of a listing as the page has them, from top to bottom; the row of the parent is none.
export async function rows(page) {
  return page.$$eval('table tbody tr', (found) =>
    found
      .filter((row) => row.querySelector('a')?.getAttribute('href') !== '../')
      .map((row) => {
        const seen = (element) => {
          if (!element) return null;
          const box = element.getBoundingClientRect();
          const style = getComputedStyle(element);
          const isShown = box.width > 0 && box.height > 0 && style.visibility === 'visible' && style.opacity !== '0';
          return { text: element.textContent.trim(), isShown, left: box.left, right: box.right };
        };
        const isSize = (cell) => /^[\d.,\s]+([kMGTPE]i?)?(B|bytes?)$/.test(cell.textContent.trim());
        const size = [...row.querySelectorAll('td')].find(isSize);
        return {
          isHidden: row.hidden || getComputedStyle(row).display === 'none',
          href: row.querySelector('a')?.getAttribute('href') ?? null,
          name: seen(row.querySelector('th, td')),
          size: seen(size),
          date: seen(row.querySelector('time')),
        };
      }),
  );
}
