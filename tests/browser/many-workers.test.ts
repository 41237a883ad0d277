import { fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

const WORKERS = 1_000;
const MODELS = 200;
const LIFE_MS = 120_000;
/** Of an event, in characters; a page on a slow line reads that in some seconds. */
const MAX_EVENT_LENGTH = 1_000_000;

describe.skipIf(!HAS_BROWSER)('the page with 1,000 workers of 200 models', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    await farm.stopDashboard();
    await writeSeconds(farm);
    await farm.restartDashboard();
    await writeWorkers(farm);
    board = await BoardPage.open(browser, farm.url);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('counts them all, lists some, and takes none for lost', async () => {
    await board.untilFigure('workers-alive', WORKERS);
    await board.untilFigure('workers-busy', WORKERS / 2);
    expect((await farm.status()).workers).toHaveLength(WORKERS);
    const counts = await board.page.locator('.count').allInnerTexts();
    expect(counts).toEqual(expect.arrayContaining(['1,000', '200']));
    expect((await board.keys('workers')).length).toBeLessThanOrEqual(24);
    expect(await board.page.locator('tr[data-state="silent"]').count()).toBe(0);
  });

  it('is told of an hour of them in one event of a bounded size', async () => {
    const event = await farm.api<{ points: unknown[]; older: unknown[] }>('board');
    expect(event.points).toHaveLength(300);
    expect(event.older.length).toBeGreaterThanOrEqual(165);
    expect(JSON.stringify(event).length).toBeLessThan(MAX_EVENT_LENGTH);
    expect(board.watched.faults).toEqual([]);
  });
});

const workerId = (index: number) => `box-${index}-1-${(0xa0000000 + index).toString(16)}`;

/** An hour in which every worker ended texts in one second of each minute, as workers write it. */
async function writeSeconds({ client, keys }: BoardFarm): Promise<void> {
  const now = Number((await client.time())[0]);
  const fields = new Map<string, number>(
    Array.from({ length: WORKERS }, (_, index) => [`worker:${workerId(index)}`, 1 + (index % 9)]),
  );
  for (const [name, count] of Object.entries({ texts: 5_000, tokens: 50_000, clients: 3, oldestMs: 7 })) {
    fields.set(name, count);
  }
  for (let ago = 1; ago < 3_600; ago += 60) await client.hset(keys.statsSecond(now - ago), fields);
}

/** Workers and models as they write themselves, with heartbeats that last for the test. */
async function writeWorkers({ client, keys }: BoardFarm): Promise<void> {
  const heardAtMs = Number((await client.time())[0]) * 1_000 + LIFE_MS;
  const model = (index: number) => `org/model-${index % MODELS}`;
  const writes = client.pipeline();
  for (let index = 0; index < MODELS; index += 1) {
    const registration = JSON.stringify({ ...fakeRegistration(), model: model(index) });
    writes.zadd(keys.models, heardAtMs, model(index));
    writes.hset(keys.model(model(index)), { fingerprint: 'f', registration });
  }
  for (let index = 0; index < WORKERS; index += 1) {
    const id = workerId(index);
    const report = JSON.stringify({ ...REPORT, workerId: id, host: `box-${index}`, model: model(index) });
    writes.zadd(keys.workers, heardAtMs, id);
    writes.zadd(keys.modelWorkers(model(index)), heardAtMs, id);
    writes.set(keys.worker(id), index % 2 === 0 ? report : report.replace('"busyShare":1', '"busyShare":0'));
    writes.pexpire(keys.worker(id), LIFE_MS);
  }
  await writes.exec();
}

const REPORT = {
  pid: 1,
  fingerprint: 'f',
  state: 'running',
  textsPerSecond: 5,
  tokensPerSecond: 50,
  waitingTexts: 0,
  residentBytes: 1,
  devices: [{ name: 'cpu/0', slots: 1, tokenBudget: 64, busyShare: 1 }],
  startedAtMs: 0,
};
