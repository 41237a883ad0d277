import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askLease, readAdmission } from './admission.ts';

const keys = redisKeys();

describe('limits and counts that somebody wrote by hand', () => {
  let redis: TestRedis;
  let client: Redis;

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });
  beforeEach(() => client.flushall());

  it.each(['NaN', '-7', '1e308', 'inf', '<b>', ''])('%s is no limit', async (value) => {
    const { maxTexts, maxBytes, memory } = await readAdmission(client, keys);
    await client.hset(keys.limits, { maxTexts: value, maxBytes: value, memoryShare: value });
    await client.hset(keys.admission, { texts: value, bytes: value });
    const spoilt = await readAdmission(client, keys);
    expect(spoilt).toMatchObject({ texts: 0, bytes: 0, maxTexts, maxBytes });
    expect(spoilt.memory.stopBytes).toBe(memory.stopBytes);
  });

  it('a full farm says so, whatever stands in the seconds', async () => {
    await client.hset(keys.limits, { maxTexts: 256 });
    const second = Number((await client.time())[0]);
    await client.set(keys.statsSecond(second - 1), 'x');
    await client.hset(keys.statsSecond(second - 2), { texts: '<b>', failed: 'NaN' });
    await client.hset(keys.statsSecond(second - 3), { texts: 40, failed: 2 });
    const answer = await askLease(client, keys, 'c', { texts: 1_000, bytes: 0 });
    expect(answer).toMatchObject({ full: 'texts', drainedTexts: 42 });
  });
});
