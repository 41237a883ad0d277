/// <reference lib="dom" />
import type { RedisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';

const EVIL = '<img src=x onerror="alert(1)">\u202Eevil\u0007\n\u{1F4A3} مرحبا';
const DEEP = '['.repeat(20_000) + ']'.repeat(20_000);
const VALUES: readonly (readonly [string, string])[] = [
  ['markup', EVIL],
  ['a negative number', '-7'],
  ['JSON that is deep', DEEP],
  ['JSON with a number beyond all', '{"name":1e999,"host":[],"pid":-1,"__proto__":{"x":1}}'],
  ['a megabyte', 'x'.repeat(1_000_000)],
];
const SECONDS = Array.from({ length: 30 }, (_, index) => index - 10);

type Put = (key: string) => Promise<unknown>;

describe.skipIf(!HAS_BROWSER)('the page over keys that somebody wrote by hand', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
  });
  beforeEach(async () => {
    await farm.client.flushall();
    board = await BoardPage.open(browser, farm.url, { viewport: { width: 400, height: 800 } });
    await board.untilLive('live');
  });
  afterEach(() => board.close());
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  const kinds: Readonly<Record<string, (value: string) => Put>> = {
    strings: (value) => (key) => farm.client.set(key, value),
    'sorted sets': (value) => (key) =>
      farm.client.zadd(key, 'inf', value, Date.now(), `${value.slice(0, 50)} 2`),
    hashes: (value) => (key) => farm.client.hset(key, value, value),
  };

  it.each(Object.keys(kinds))('goes on where all of them are %s', async (kind) => {
    const put = kinds[kind]?.(EVIL);
    if (!put) throw new Error(`there is no ${kind}`);
    for (const key of await keysOf(farm)) {
      await farm.client.unlink(key);
      await put(key);
    }
    expect(await faultsOf(farm, board)).toEqual([]);
  });

  it.each(VALUES)('goes on where %s stands in all fields', async (_, value) => {
    for (const [key, fields] of await fieldsOf(farm)) {
      await farm.client.unlink(key);
      for (const field of fields) await farm.client.hset(key, field, value);
    }
    const { keys, client } = farm;
    const nowMs = Date.now();
    await client.zadd(keys.workers, nowMs, 'w-1', 'inf', 'w-2');
    for (const id of ['w-1', 'w-2']) await client.set(keys.worker(id), value);
    await client.zadd(keys.models, nowMs, 'fake');
    for (const set of [keys.clients, keys.requests, keys.openRequests]) {
      await client.zadd(set, nowMs, 'id', 'inf', 'other', nowMs, `${EVIL}${'x'.repeat(50)}`);
    }
    expect(await faultsOf(farm, board)).toEqual([]);
  });
});

/** Some updates later the farm is up, the page is live, says nothing that is no number, and has no fault. */
async function faultsOf(farm: BoardFarm, board: BoardPage): Promise<readonly string[]> {
  const event = async () => await farm.api<{ redis: string; updatedAtMs: number }>('board');
  const { updatedAtMs } = await event();
  // Parts are read every five seconds.
  await eventually(
    async () => {
      const { redis, updatedAtMs: newest } = await event();
      expect(redis).toBe('up');
      return newest > updatedAtMs + 6_000;
    },
    { timeoutMs: 15_000, what: 'six seconds of updates' },
  );
  await board.untilLive('live');
  const text = await board.page.locator('body').innerText();
  expect(text).not.toMatch(/NaN|undefined|\[object|Infinity|-\d/u);
  expect(await overflow(board)).toBeLessThanOrEqual(0);
  expect(await board.page.locator('img[src="x"], [onerror]').count()).toBe(0);
  return board.watched.faults;
}

function overflow(board: BoardPage): Promise<number> {
  return board.page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}

/** Every key that the board reads, but for those of single workers, models and requests. */
async function keysOf({ keys, client }: BoardFarm): Promise<string[]> {
  const second = Number((await client.time())[0]);
  const minute = Math.floor(second / 60);
  const names = words(
    'models workers clients requests openRequests clientReports failureSamples benchCurves admission limits webhooksDue weights',
  ) as (keyof RedisKeys)[];
  return [
    ...names.map((name) => String(keys[name])),
    ...SECONDS.map((at) => keys.statsSecond(second + at)),
    ...[-2, -1, 0, 1].flatMap((at) => [keys.statsMinute(minute + at), keys.statsClients(minute + at)]),
  ];
}

/** The hashes, and the fields that are read of them. */
async function fieldsOf({ keys, client }: BoardFarm): Promise<(readonly [string, readonly string[]])[]> {
  const second = Number((await client.time())[0]);
  const minute = Math.floor(second / 60);
  const ofSecond = words(
    'texts tokens failed clients backlog:interactive backlog:bulk oldestMs cacheLookups cacheHits worker:w-1 worker:constructor worker:__proto__',
  );
  const ofMinute = ['texts', 'tokens', 'failed', 'chunks', 'queueUs', 'replyUs', 'replies', 'ms:3', 'ms:78'];
  return [
    ...SECONDS.filter((at) => at < 3).map((at) => [keys.statsSecond(second + at), ofSecond] as const),
    ...[-1, 0, 1].map(
      (at) =>
        [
          keys.statsMinute(minute + at),
          [
            ...ofMinute.map((field) => `bulk:${field}`),
            'batches',
            'fill:3',
            'length:35',
            'failed:internal:fake',
          ],
        ] as const,
    ),
    [keys.failureSamples, ['internal fake']],
    [keys.clientReports, ['id', 'other']],
    [keys.benchCurves, ['a', 'b']],
    [keys.limits, ['maxTexts', 'maxBytes']],
    [keys.model('fake'), ['registration', 'fingerprint']],
    [keys.request('id'), ['state', 'texts', 'model', 'label', 'createdAtMs']],
  ];
}

function words(text: string): string[] {
  return text.split(' ');
}
