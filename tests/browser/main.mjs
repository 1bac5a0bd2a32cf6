// main.mjs URL SITE ACCESS-LOG SCREENSHOTS [CHECK,...]: runs the checks one after the other, and ends with code 1 at
// the first that fails.

import { Failed, Frame } from './frame.mjs';
import keyboard from './keyboard.mjs';
import layout from './layout.mjs';
import media from './media.mjs';
import names from './names.mjs';
import sorting from './sorting.mjs';

const CHECKS = { layout, names, media, keyboard, sorting };

const [url, site, log, screenshots, wanted] = process.argv.slice(2);
const asked = wanted ? wanted.split(',') : Object.keys(CHECKS);
const frame = await new Frame(url, site, log, screenshots).start();
try {
  for (const name of asked) {
    try {
      if (!CHECKS[name]) throw new Failed(`there is no such check, but ${Object.keys(CHECKS).join(', ')}`);
      await CHECKS[name](frame);
      console.log(`passed: ${name}`);
    } catch (error) {
      console.error(`FAILED: ${name}: ${error instanceof Failed ? error.message : error.stack}`);
      process.exitCode = 1;
      break;
    }
  }
} finally {
  await frame.stop();
}
