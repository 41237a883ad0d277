import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { TenantWeights } from './tenant-weights.ts';

describe('TenantWeights', () => {
  let server: TestRedis;
  let redis: FarmRedis;

  beforeAll(async () => {
    server = await openTestRedis();
    redis = connectRedis(server.url);
  });
  afterAll(async () => {
    disconnectRedis(redis);
    await server.close();
  });
  beforeEach(async () => {
    await redis.flushall();
  });

  it('keeps what is not 1, for every process', async () => {
    const weights = new TenantWeights(redis, redisKeys());
    await weights.set('search', 3);
    await weights.set('reindex', 0.01);
    await weights.set('usual', 1);
    expect(await new TenantWeights(redis, redisKeys()).list()).toEqual({ search: 3, reindex: 0.01 });
    await weights.set('search', 1);
    await weights.remove('reindex');
    expect(await weights.list()).toEqual({});
  });

  it.each([
    ['search', 0, 'weight'],
    ['search', 101, 'weight'],
    ['search', Number.NaN, 'weight'],
    ['search', '3', 'weight'],
    ['a:b', 3, 'tenant'],
    ['', 3, 'tenant'],
    [undefined, 3, 'tenant'],
  ])('refuses %j with weight %j and names the fault', async (tenant, weight, field) => {
    const setting = new TenantWeights(redis, redisKeys()).set(tenant as string, weight as number);
    await expect(setting).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(field),
    });
  });

  it('refuses a tenant too many, but changes those it has', async () => {
    const weights = new TenantWeights(redis, redisKeys(), { maxWeights: 2 });
    await weights.set('a', 2);
    await weights.set('b', 2);
    await expect(weights.set('c', 2)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('limit is 2'),
    });
    await weights.set('b', 5);
    expect(await weights.list()).toEqual({ a: 2, b: 5 });
  });
});
