import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

const WAITING = 300;

describe.skipIf(!HAS_BROWSER)('the page while Redis is gone', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    await farm.registerModel();
    const client = await farm.openClient();
    await client.submit(
      Array.from({ length: WAITING }, (_, index) => `text ${index}`),
      { lane: 'bulk' },
    );
    board = await BoardPage.open(browser, farm.url);
    await board.untilFigure('waiting-texts-bulk', WAITING);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('says so, and keeps what it knew', async () => {
    await board.untilLive('live');
    await farm.redis.kill();
    await board.untilLive('redis-down');
    expect(await board.page.getByRole('status').allInnerTexts()).toContainEqual(
      expect.stringMatching(/Redis does not answer/u),
    );
    expect(await board.figure('waiting-texts-bulk')).toBe(WAITING);
  });

  it('is opened all the same, and says what is wrong', async () => {
    const second = await BoardPage.open(browser, farm.url);
    await second.untilLive('redis-down');
    expect(second.watched.faults).toEqual([]);
    await second.close();
  });

  it('goes on by itself when Redis is back', async () => {
    await farm.redis.restart();
    await board.untilLive('live');
    await board.untilFigure('waiting-texts-bulk', WAITING);
    expect(await farm.waitingTexts('fake', 'bulk')).toBe(WAITING);
    expect(board.watched.faults).toEqual([]);
  });
});
