import type { FarmWaiting } from '@embedfarm/farm/figures';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { TimedEncoder } from '@embedfarm/testkit/timed-encoder';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

const INTERACTIVE = 30;
const BULK = 1_000;
/** The page shows the mean of so many seconds. */
const FIGURE_SECONDS = 5;

describe.skipIf(!HAS_BROWSER)('the figures of the page', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;
  let clients: EmbeddingFarm[];

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    board = await BoardPage.open(browser, farm.url);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('are nothing on an empty farm, and its tables say so in words', async () => {
    await board.untilLive('live');
    const names = ['waiting-texts-interactive', 'waiting-texts-bulk', 'waiting-tokens', 'clients'];
    for (const name of [...names, 'workers-alive', 'workers-busy', 'failures', 'texts-per-second']) {
      await board.untilFigure(name, 0);
    }
    for (const table of ['workers', 'clients', 'requests', 'failures', 'models']) {
      expect(await board.keys(table)).toEqual([]);
    }
    expect(board.watched.faults).toEqual([]);
  });

  it('count clients as Redis does', async () => {
    clients = [await farm.openClient({ name: 'shop' }), await farm.openClient({ name: 'search' })];
    await board.untilFigure('clients', 2);
    await board.untilRows(
      'clients',
      clients.map(({ clientId }) => clientId),
    );
    expect(await farm.client.zcard(farm.keys.clients)).toBe(2);
    expect((await farm.status()).clients).toBe(2);
  });

  it('count what waits while nobody works, lane by lane, as the API and Redis do', async () => {
    await farm.registerModel();
    const [shop, search] = clients as [EmbeddingFarm, EmbeddingFarm];
    const request = await shop.submit(texts(BULK), { label: 'reindex', lane: 'bulk' });
    const call = search.encode(texts(INTERACTIVE));
    await board.untilFigure('waiting-texts-bulk', BULK);
    await board.untilFigure('waiting-texts-interactive', INTERACTIVE);
    const { waiting } = await farm.api<{ waiting: FarmWaiting }>('waiting');
    expect([waiting.bulk.texts, waiting.interactive.texts]).toEqual([BULK, INTERACTIVE]);
    expect(await farm.waitingTexts('fake', 'bulk')).toBe(BULK);
    expect(await farm.waitingTexts('fake', 'interactive')).toBe(INTERACTIVE);
    expect(await board.figure('oldest')).toBeGreaterThan(0);
    await board.untilState('requests', request.id, 'queued');

    const worker = await farm.openWorker();
    await Promise.all([request.wait(), call]);
    await board.untilFigure('waiting-texts-bulk', 0);
    await board.untilFigure('waiting-texts-interactive', 0);
    await board.untilFigure('workers-alive', 1);
    await board.untilRows('workers', [worker.workerId]);
    await board.untilState('requests', request.id, 'completed');
    await worker.close();
    await board.untilFigure('workers-alive', 0);
  });

  it('sum up to the texts that were encoded', async () => {
    const told = async () => textsIn(await series(farm));
    const all = await eventually(async () => ((await told()) >= BULK + INTERACTIVE ? told() : undefined));
    expect(all).toBe(BULK + INTERACTIVE);
    expect(all).toBe(await farm.textsInRedis());
  });

  it('are those of the API while a load runs, and nothing after it', async () => {
    const worker = await farm.openWorker(new TimedEncoder({ msPerText: 2, msPerBatch: 10 }));
    const [shop] = clients as [EmbeddingFarm];
    const load = new AbortController();
    const running = runLoad(shop, load.signal);
    await board.untilFigureIs('texts-per-second', (value) => value > 0);
    // The page shows one second or the one before it; both are over and change no more.
    await eventually(async () => {
      const shown = await board.figure('texts-per-second');
      const points = await series(farm);
      return windows(points).some((mean) => mean === shown && mean > 0);
    });
    await board.untilFigureIs('p50-interactive', (value) => value > 0);
    expect(await board.figure('p95-interactive')).toBeGreaterThanOrEqual(
      await board.figure('p50-interactive'),
    );
    load.abort();
    await running;
    await board.untilFigure('texts-per-second', 0, 15_000);
    await worker.close();
  });

  it('count texts that failed, by their reason', async () => {
    const worker = await farm.openWorker();
    const [shop] = clients as [EmbeddingFarm];
    const failed = await shop.submit(['good', 'bad text', 'bad text'], { label: 'in part' });
    await failed.wait();
    await board.untilFigure('failures', 2);
    await board.page.locator('[data-table="failures"] [data-key]').waitFor();
    expect(await board.page.locator('[data-table="failures"]').innerText()).toContain('told to fail');
    await worker.close();
    expect(board.watched.faults).toEqual([]);
  });
});

/** A second of the farm, as far as it is compared. */
interface Point {
  readonly second: number;
  readonly texts: number;
}

function textsIn(points: readonly Point[]): number {
  return points.reduce((sum, { texts: count }) => sum + count, 0);
}

function texts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `text ${index}`);
}

async function runLoad(client: EmbeddingFarm, signal: AbortSignal): Promise<void> {
  for (let call = 0; !signal.aborted; call += 1) {
    await client.encode(texts(1 + (call % 40)));
  }
}

async function series(farm: BoardFarm): Promise<readonly Point[]> {
  return (await farm.api<{ series: Point[] }>('series?seconds=300')).series;
}

/** Means of so many seconds that ended within the last few. */
function windows(points: readonly Point[]): number[] {
  return [0, 1, 2, 3].map((back) => {
    const newest = points.slice(points.length - FIGURE_SECONDS - back, points.length - back);
    return textsIn(newest) / newest.length;
  });
}
