/// <reference lib="dom" />
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { fillBoard, type FilledBoard } from './fill-board.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

const MARKUP = [
  '<img src=x onerror="alert(1)">',
  '"><script>alert(1)</script>',
  '</td></tr></table><h1 id="injected">hello</h1>',
  '<svg/onload=alert(1)>\'"&amp;',
];

describe.skipIf(!HAS_BROWSER)('names that are markup', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;
  let filled: FilledBoard[];

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    filled = [];
    for (const words of MARKUP) filled.push(await fillBoard(farm, words));
    board = await BoardPage.open(browser, farm.url);
    await board.untilRows(
      'requests',
      filled.flatMap(({ done, failed, waiting }) => [done, failed, waiting]),
    );
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('stand in labels and names of clients as they were written', async () => {
    for (const [index, words] of MARKUP.entries()) {
      const { done, clientId } = filled[index] as FilledBoard;
      expect(await board.row('requests', done).innerText()).toContain(words);
      expect(await board.row('clients', clientId).innerText()).toContain(words);
    }
  });

  it('stand among failures as they were written', async () => {
    await board.page.locator('[data-table="failures"] [data-key]').first().waitFor();
    const failures = board.page.locator('[data-table="failures"]');
    expect(await failures.innerText()).toContain('bad text');
  });

  it('make no element, and run nothing', async () => {
    const made = await board.page.evaluate(() => ({
      injected: document.querySelectorAll('#injected, img[src="x"], [onerror], [onload]').length,
      scripts: [...document.scripts].filter(({ src }) => !src.startsWith(location.origin)).length,
      headings: document.querySelectorAll('h1').length,
    }));
    expect(made).toEqual({ injected: 0, scripts: 0, headings: 1 });
    expect(board.watched.faults).toEqual([]);
    expect([...board.watched.origins]).toEqual([farm.url]);
  });
});
