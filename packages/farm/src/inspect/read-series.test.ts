import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readSeries } from './read-series.ts';

const keys = redisKeys();

describe('the seconds of a farm', () => {
  let redis: TestRedis;
  let client: Redis;
  let last: number;

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });
  beforeEach(async () => {
    await client.flushall();
    last = Number((await client.time())[0]) - 1;
  });

  /** The second that was written, however many are over meanwhile. */
  async function read(second: number) {
    const points = await readSeries(client, keys, 20);
    return points.find((point) => point.second === second);
  }

  it('tell a second in which nobody looked from one in which nothing waited', async () => {
    await client.hset(keys.statsSecond(last - 1), { texts: 3, tokens: 9, 'worker:a': 3 });
    await client.hset(keys.statsSecond(last), {
      clients: 0,
      'backlog:interactive': 0,
      'backlog:bulk': 0,
      oldestMs: 0,
    });
    expect(await read(last - 1)).toEqual({
      second: last - 1,
      texts: 3,
      tokens: 9,
      failed: 0,
      clients: null,
      backlog: null,
      oldestMs: null,
      busyWorkers: 1,
      workers: { a: 3 },
    });
    expect(await read(last)).toMatchObject({
      clients: 0,
      backlog: { interactive: 0, bulk: 0 },
      oldestMs: 0,
      busyWorkers: 0,
    });
    expect(await read(last - 2)).toMatchObject({ texts: 0, clients: null, backlog: null });
  });

  it('count the workers of a large farm, and tell the same few of them each time', async () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `host-${index}-1-0000000${index % 9}`);
    await client.zadd(keys.workers, ...ids.flatMap((id, index) => [index, id]));
    for (const second of [last - 1, last]) {
      const fields = new Map<string, number>(ids.map((id) => [`worker:${id}`, 2]));
      await client.hset(keys.statsSecond(second), fields.set('texts', 2_000).set('tokens', 4_000));
    }
    const [before, after] = [await read(last - 1), await read(last)];
    expect(before).toMatchObject({ texts: 2_000, busyWorkers: 1_000 });
    expect(Object.keys(before?.workers ?? {})).toHaveLength(16);
    expect(after?.workers).toEqual(before?.workers);
  });

  it.each([
    ['a negative number', '-5'],
    ['a number beyond all', '1e308'],
    ['Infinity', 'inf'],
    ['no number', 'NaN'],
    ['a fraction', '0.5'],
    ['markup', '<b>7</b>'],
    ['ten megabytes', '9'.repeat(10_000_000)],
  ])('take %s for none', async (_, value) => {
    await client.hset(keys.statsSecond(last), {
      texts: value,
      clients: value,
      'backlog:bulk': value,
      oldestMs: value,
      'worker:a': value,
    });
    expect(await read(last)).toMatchObject({
      texts: 0,
      clients: null,
      backlog: null,
      oldestMs: null,
      workers: {},
    });
  });

  it('leave out a second that is no hash, and names that no worker has', async () => {
    await client.set(keys.statsSecond(last), 'something else');
    const names = { [`worker:${'x'.repeat(1_000_000)}`]: 1, 'worker:__proto__': 2 };
    await client.hset(keys.statsSecond(last - 1), names);
    expect(await read(last)).toMatchObject({ texts: 0, clients: null });
    const point = await read(last - 1);
    expect(Object.entries(point?.workers ?? {})).toEqual([['__proto__', 2]]);
  });
});
