/// <reference lib="dom" />
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

const CLIENTS = 10_000;
/** Updates come each second, so this sees some. */
const WATCH_MS = 4_000;
const MAX_FRAME_MS = 1_000;

describe.skipIf(!HAS_BROWSER)('the page with 10,000 clients', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    board = await BoardPage.open(browser, farm.url);
    await board.untilFigure('clients', 0);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('counts them all, lists some, and draws on', async () => {
    await farm.writeClients(CLIENTS);
    await board.untilFigure('clients', CLIENTS);
    expect((await farm.status()).clients).toBe(CLIENTS);
    // Rows are read less often than what is counted.
    await board.untilNewRows('clients', []);
    const longest = await board.page.evaluate(longestFrame, WATCH_MS);
    expect(longest).toBeLessThan(MAX_FRAME_MS);
    expect((await board.keys('clients')).length).toBeLessThanOrEqual(200);
    expect(board.watched.faults).toEqual([]);
  });
});

/** Runs in the page: the longest time between two frames, in ms. */
async function longestFrame(watchMs: number): Promise<number> {
  const start = performance.now();
  let last = start;
  let longest = 0;
  while (last - start < watchMs) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}
