import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

describe.skipIf(!HAS_BROWSER)('the page where no event stream gets through', () => {
  let farm: BoardFarm;
  let browser: Browser;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    await farm.registerModel();
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('asks again and again instead, and is as live', async () => {
    const board = await BoardPage.open(browser, 'about:blank');
    let blocked = 0;
    await board.page.route('**/api/events*', async (route) => {
      blocked += 1;
      await route.abort();
    });
    await board.page.goto(farm.url);
    await board.untilFigure('waiting-texts-bulk', 0, 20_000);
    const client = await farm.openClient();
    await client.submit(['one', 'two', 'three'], { lane: 'bulk' });
    await board.untilFigure('waiting-texts-bulk', 3);
    await board.untilLive('live');
    expect(blocked).toBeGreaterThan(0);
    await client.submit(['four'], { lane: 'bulk' });
    await board.untilFigure('waiting-texts-bulk', 4);
    expect(board.watched.faults).toEqual([]);
    await board.close();
  });

  it('says that nobody answers, and goes on when somebody does', async () => {
    const board = await BoardPage.open(browser, farm.url);
    await board.untilLive('live');
    await farm.stopDashboard();
    await board.untilLive('lost');
    expect(await board.figure('waiting-texts-bulk')).toBe(4);
    await farm.restartDashboard();
    await board.untilLive('live');
    expect(board.watched.faults).toEqual([]);
    await board.close();
  });
});
