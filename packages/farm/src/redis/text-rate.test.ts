import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextRate } from './text-rate.ts';

let redis: TestRedis;
let client: Redis;
let rate: TextRate;
let other: TextRate;
beforeAll(async () => {
  redis = await openTestRedis();
  client = new Redis(redis.url);
  rate = TextRate.open({ redis: redis.url });
  other = TextRate.open({ redis: redis.url });
});
afterAll(async () => {
  rate.close();
  other.close();
  client.disconnect();
  await redis.close();
});

/** What is refused, by the ms that it is told to wait. */
async function waitOf(taken: Promise<void>): Promise<number> {
  const fault: unknown = await taken.catch((thrown: unknown) => thrown);
  expect(fault).toMatchObject({ code: 'overloaded' });
  return (fault as { retryAfterMs: number }).retryAfterMs;
}

// So slow that nothing runs in while a test runs.
const SLOW = { textsPerSecond: 0.01, burstTexts: 100 };

describe('a rate of texts', () => {
  it('lets through what its burst holds, for all who share the Redis, and then says how long to wait', async () => {
    await rate.take('shared', 60, SLOW);
    await other.take('shared', 40, SLOW);
    const waitMs = await waitOf(rate.take('shared', 1, SLOW));
    expect(waitMs).toBeGreaterThan(90_000);
    expect(waitMs).toBeLessThanOrEqual(100_000);
  });

  it('takes nothing where it refuses', async () => {
    await rate.take('kept', 50, SLOW);
    await waitOf(rate.take('kept', 51, SLOW));
    await expect(rate.take('kept', 50, SLOW)).resolves.toBeUndefined();
  });

  it('lets a call that is larger than the burst through after a rest, which is then paid off', async () => {
    await rate.take('large', 250, SLOW);
    const waitMs = await waitOf(rate.take('large', 100, SLOW));
    expect(waitMs).toBeGreaterThan(24_900_000);
    expect(waitMs).toBeLessThanOrEqual(25_000_000);
  });

  it('goes by the clock of Redis, and leaves nothing behind once the bucket is full', async () => {
    const key = redisKeys().textRate('timed');
    await rate.take('timed', 10, { textsPerSecond: 10 });
    const ttlMs = await client.pttl(key);
    expect(ttlMs).toBeGreaterThan(1_000);
    expect(ttlMs).toBeLessThanOrEqual(2_001);
    await client.set(key, String(Number(await client.get(key)) - 1_000));
    await rate.take('timed', 10, { textsPerSecond: 10 });
  });

  it('is none of others, and what was put there by hand is no rate', async () => {
    await rate.take('mine', 100, SLOW);
    await rate.take('theirs', 100, SLOW);
    await client.set(redisKeys().textRate('spoilt'), 'garbage');
    await expect(rate.take('spoilt', 100, SLOW)).resolves.toBeUndefined();
  });

  it('says that Redis is gone', async () => {
    const nowhere = TextRate.open({ redis: 'redis://127.0.0.1:1' });
    await expect(nowhere.take('x', 1, SLOW)).rejects.toMatchObject({ code: 'redis_unavailable' });
    nowhere.close();
  });
});
