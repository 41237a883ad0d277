import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';
import { markControls, readFlaws, readFocus } from './page-controls.ts';
import { contrast, isRed, luminance, neededContrast, textPaints } from './text-paints.ts';
import { WatchedPage } from './watched-page.ts';

/** Everything wrong that the checks look for. */
const BAD_PAGE = `
  <style>
    body { background: white; color: #777; font-size: 16px }
    i { color: rgb(200 20 20); opacity: 0.5 }
    p:focus { outline: none }
  </style>
  <h1>one</h1><h3>three</h3>
  <p tabindex="0">faint</p> <i>half</i> <b style="font-size: 24px">large</b>
  <button id="twice"></button> <input id="twice"> <img src="data:,">
  <a href="#" hidden>unseen</a> <a href="#">seen</a>
  <table aria-labelledby="nobody"><tr><td>1</td></tr></table>
  <div tabindex="3">first</div>`;

describe('contrast', () => {
  it('is what WCAG says', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.478, 3);
    expect([luminance([0, 0, 0]), luminance([255, 255, 255])]).toEqual([0, 1]);
  });

  it('knows red from what is near it', () => {
    expect([isRed([185, 28, 28]), isRed([248, 113, 113]), isRed([180, 83, 9])]).toEqual([true, true, false]);
    expect([isRed([30, 30, 30]), isRed([220, 220, 230]), isRed([20, 120, 60])]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe.skipIf(!HAS_BROWSER)('the checks of a page', () => {
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser();
    watched = await WatchedPage.open(browser);
    ({ page } = watched);
    await page.setContent(BAD_PAGE);
  });
  afterAll(() => browser?.close());

  it('see each text as it is painted', async () => {
    const paints = await page.locator('body').evaluate(textPaints);
    const found = Object.fromEntries(paints.map((paint) => [paint.text, paint]));
    expect(found['faint']).toMatchObject({
      element: 'p',
      colour: [119, 119, 119],
      background: [255, 255, 255],
    });
    // Half of it is the white below.
    expect(found['half']?.colour.map((part) => Math.round(part / 10))).toEqual([23, 14, 14]);
    expect(paints.map(({ text }) => text)).not.toContain('unseen');
    const needed = paints.map((paint) => [paint.text, neededContrast(paint)]);
    expect(needed).toContainEqual(['large', 3]);
    expect(needed).toContainEqual(['faint', 4.5]);
  });

  it('find what has no name, no order and no sense', async () => {
    const flaws = (await page.evaluate(readFlaws)).join('\n');
    for (const flaw of [
      'has no name: <button',
      'has no name: <input',
      'has no alt: <img',
      'skips a level: <h3>',
      'has 0 main',
      'says no language',
      'has no title',
      'has two of the id twice',
      'aria-labelledby names nothing: <table',
      'has no column heads: <table',
      'is before its turn: <div',
    ]) {
      expect(flaws).toContain(flaw);
    }
  });

  it('follow the keyboard', async () => {
    const controls = await page.evaluate(markControls);
    // The text, the button, the field, and the link that is seen; what has a turn of its own is a flaw.
    expect(controls).toHaveLength(4);
    await page.locator('p').focus();
    expect(await page.evaluate(readFocus)).toMatchObject({ control: '0', isShown: false });
    await page.keyboard.press('Tab');
    expect(await page.evaluate(readFocus)).toMatchObject({ control: '1', isShown: true });
  });

  it('hear of errors, dialogs and foreign requests', async () => {
    await page.evaluate(() => {
      console.error('a complaint');
      alert('hello');
      setTimeout(() => {
        throw new Error('an accident');
      });
      return fetch('http://127.0.0.1:1/').catch(() => undefined);
    });
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    const faults = watched.faults.join('\n');
    for (const fault of ['console: a complaint', 'dialog: hello', 'exception: Error: an accident']) {
      expect(faults).toContain(fault);
    }
    expect([...watched.origins]).toContain('http://127.0.0.1:1');
  });
});
