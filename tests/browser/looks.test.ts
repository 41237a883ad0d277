/// <reference lib="dom" />
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { fillBoard } from './fill-board.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';
import { markControls, readFlaws, readFocus } from './page-controls.ts';
import { contrast, luminance, neededContrast, textPaints } from './text-paints.ts';

const SCHEMES = ['light', 'dark'] as const;

describe.skipIf(!HAS_BROWSER)('the page', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    const { done, failed, waiting } = await fillBoard(farm);
    await farm.openWorker();
    board = await BoardPage.open(browser, farm.url);
    await board.untilRows('requests', [done, failed, waiting]);
    // A table that fills later would be one more part to reach.
    for (const table of ['workers', 'clients', 'failures', 'models']) await board.untilNewRows(table, []);
    // The charts as tables too.
    await board.page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it.each(SCHEMES)('is %s where the system is', async (colorScheme) => {
    await board.setScheme(colorScheme);
    const paints = await board.page.locator('body').evaluate(textPaints);
    const shade = median(paints.map(({ background }) => luminance(background)));
    expect(shade > 0.5 ? 'light' : 'dark').toBe(colorScheme);
    expect(paints.length).toBeGreaterThan(50);
  });

  it.each(SCHEMES)('can be read by most in %s', async (colorScheme) => {
    await board.setScheme(colorScheme);
    const paints = await board.page.locator('body').evaluate(textPaints);
    const faint = paints.flatMap((paint) => {
      const ratio = contrast(paint.colour, paint.background);
      return ratio < neededContrast(paint) ? [`${paint.element} "${paint.text}" ${ratio.toFixed(2)}`] : [];
    });
    expect(faint).toEqual([]);
  });

  it.each([320, 400, 768, 1_280])('needs no sideways scrolling at %i pixels', async (width) => {
    await board.page.setViewportSize({ width, height: 800 });
    const { scrollWidth, clientWidth } = await board.page.evaluate(() => {
      const { documentElement: root } = document;
      return { scrollWidth: root.scrollWidth, clientWidth: root.clientWidth };
    });
    expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
  });

  it('keeps still where motion is not wanted', async () => {
    await board.page.emulateMedia({ reducedMotion: 'reduce' });
    const moving = await board.page.evaluate(() =>
      [...document.querySelectorAll('*')].flatMap((element) => {
        const { transitionDuration, animationDuration, scrollBehavior } = getComputedStyle(element);
        const seconds = [transitionDuration, animationDuration].join(',').split(',').map(Number.parseFloat);
        return Math.max(...seconds) > 0.01 || scrollBehavior === 'smooth'
          ? [element.outerHTML.slice(0, 120)]
          : [];
      }),
    );
    expect(moving).toEqual([]);
  });

  it('is reached by the keyboard, part by part, and shows where it is', async () => {
    await board.page.setViewportSize({ width: 1_280, height: 900 });
    const controls = await board.page.evaluate(markControls);
    expect(controls.length).toBeGreaterThan(3);
    const reached: (string | undefined)[] = [];
    for (let turn = 0; turn < controls.length; turn += 1) {
      await board.page.keyboard.press('Tab');
      const focus = await board.page.evaluate(readFocus);
      expect(focus?.isShown, focus?.element).toBe(true);
      reached.push(focus?.control);
    }
    expect(reached).toEqual(controls);
  });

  it('has nothing that a screen reader would stumble over', async () => {
    const flaws = () => board.page.evaluate(readFlaws);
    // A table that was just opened is filled with the next update.
    await expect.poll(flaws, { timeout: 5_000 }).toEqual([]);
  });

  it('asked nobody else for anything, and has no fault', () => {
    expect([...board.watched.origins]).toEqual([farm.url]);
    expect(board.watched.faults).toEqual([]);
  });
});

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
