import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm, endProcess } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';
import { isRed, textPaints } from './text-paints.ts';

/** Two heartbeats of 5 s that did not come, and the second in which the page hears of it. */
const SILENT_WITHIN_MS = 13_000;

describe.skipIf(!HAS_BROWSER)('workers on the page', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    board = await BoardPage.open(browser, farm.url);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('turn red when they are killed, and go without red when they are told to stop', async () => {
    const [killed, stopped] = await Promise.all([farm.startWorker(), farm.startWorker()]);
    await board.untilRows('workers', [killed.workerId, stopped.workerId]);
    await board.untilFigure('workers-alive', 2);
    const calm = await board.row('workers', killed.workerId).evaluate(textPaints);
    const seen = await board.watchStates('workers', stopped.workerId);

    await Promise.all([endProcess(killed.process, 'SIGKILL'), endProcess(stopped.process, 'SIGTERM')]);
    expect(stopped.process.exitCode).toBe(0);
    await board.row('workers', stopped.workerId).waitFor({ state: 'detached' });
    expect(await seen()).not.toContain('silent');

    await board.untilState('workers', killed.workerId, 'silent', SILENT_WITHIN_MS);
    const silent = await board.row('workers', killed.workerId).evaluate(textPaints);
    expect(silent.some(({ colour }) => isRed(colour))).toBe(true);
    expect(calm.some(({ colour }) => isRed(colour))).toBe(false);
    expect(await board.row('workers', killed.workerId).innerText()).toMatch(/silent/iu);
    await board.untilFigure('workers-alive', 0);
    expect(board.watched.faults).toEqual([]);
  });
});
