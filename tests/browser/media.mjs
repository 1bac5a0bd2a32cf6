// A browser seeks in a sound by ranges: it plays from the fiftieth second, and what lies before has not all come.

import { hold } from './frame.mjs';

export default async function media(frame) {
  const before = (await frame.requests()).length;
  await frame.page({}, async (page) => {
    const ranges = [];
    page.on('request', (request) => {
      if (request.url().endsWith('.wav')) ranges.push(request.headers().range);
    });
    await page.goto(frame.address('media/'));
    const seen = await page.evaluate(async () => {
      const audio = document.querySelector('audio');
      const event = (name) =>
        new Promise((resolve, reject) => {
          audio.addEventListener(name, resolve, { once: true });
          audio.addEventListener('error', () => reject(new Error(`the sound fails: ${audio.error?.message}`)));
          setTimeout(() => reject(new Error(`${name} does not come`)), 8000);
        });
      if (audio.readyState < 1) await event('loadedmetadata');
      const sought = event('seeked');
      audio.currentTime = 50;
      await sought;
      const at = audio.currentTime;
      await audio.play();
      await event('timeupdate');
      return { at, later: audio.currentTime, duration: audio.duration };
    });
    hold(Math.abs(seen.duration - 60) < 0.1, 'the sound is not of a minute:', seen);
    hold(Math.abs(seen.at - 50) < 0.1 && seen.later >= 50 && seen.later < 60, 'it was not sought to 50 s:', seen);
    const starts = ranges.map((range) => Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? -1));
    hold(starts.some((start) => start > 8_000_000), 'no range from near the fiftieth second was asked for:', ranges);
  });
  const lines = (await frame.requests()).slice(before).filter((line) => line.includes('tone.wav'));
  // What it has already it may ask about: 304. The whole file never comes.
  hold(lines.filter((line) => line.includes('" 206 ')).length > 1, 'the sound did not come in parts:', lines);
  hold(lines.every((line) => /" (206|304) /.test(line)), 'an answer was not of a part:', lines);
}
