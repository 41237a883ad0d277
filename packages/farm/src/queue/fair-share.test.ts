import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { bulkJob } from './bulk-job.fixture.ts';
import { TaggedLane } from './fair-lane.fixture.ts';
import { chunkShare, type ChunkShare } from './fair-share.ts';
import { TenantWeights } from './tenant-weights.ts';

const keys = redisKeys();
const MODEL = 'fake';

function chunks(tenant: string, count: number, cost = 1): ChunkShare[] {
  return Array.from({ length: count }, () => ({ tenant, cost }));
}

function names(tenant: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${tenant}-${index}`);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('FairShare', () => {
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
  afterEach(async () => {
    await redis.flushall();
  });

  const openLane = (limits: ConstructorParameters<typeof TaggedLane>[2] = {}) =>
    new TaggedLane(redis, MODEL, limits);

  const tagOf = async (tenant: string) => await redis.zscore(keys.fairShareTenants(MODEL), tenant);

  it('counts a chunk by its texts or by its bytes, whichever is more, for its tenant or else its client', () => {
    expect(chunkShare(bulkJob('client', 0))).toEqual({ tenant: 'client', cost: 1 });
    expect(chunkShare(bulkJob('team', 0, { clientId: 'client' }))).toEqual({ tenant: 'team', cost: 1 });
    const long = { ...bulkJob('client', 0), texts: ['x'.repeat(100_000)] };
    expect(chunkShare(long).cost).toBe(2.5);
  });

  it('gives each tenant its own row of tags from the virtual time on', async () => {
    const { share } = openLane();
    expect(await share.takePriorities(chunks('a', 5))).toEqual([1, 2, 3, 4, 5]);
    expect(await share.takePriorities(chunks('b', 3))).toEqual([1, 2, 3]);
    expect(await share.takePriorities(chunks('small', 5, 0.5))).toEqual([1, 1, 2, 2, 3]);
    await new TenantWeights(redis, keys).set('weighty', 2);
    await new TenantWeights(redis, keys).set('slight', 0.5);
    expect(await share.takePriorities([...chunks('weighty', 3), ...chunks('slight', 3)])).toEqual([
      1, 1, 2, 1, 3, 5,
    ]);
  });

  it('keeps the tags of twenty producers at once apart, and leaves none out', async () => {
    const same = await Promise.all(
      upTo(20).map(async () => await openLane().share.takePriorities(chunks('one', 16))),
    );
    expect(same.flat().sort((a, b) => a - b)).toEqual(upTo(320));
    const others = await Promise.all(
      upTo(20).map(async (n) => await openLane().share.takePriorities(chunks(`tenant-${n}`, 16))),
    );
    for (const priorities of others) expect(priorities).toEqual(upTo(16));
  });

  it('starts a newcomer before the job that is next, not at the beginning of the lane', async () => {
    const lane = openLane();
    await lane.add(names('a', 50), chunks('a', 50));
    for (let count = 0; count < 20; count += 1) await lane.serve();
    expect(await lane.share.takePriorities(chunks('b', 2))).toEqual([20, 21]);
  });

  it('starts all tenants over together when nothing waits or runs, also where the queue was emptied by hand', async () => {
    const lane = openLane({ transitMs: 0 });
    await lane.add(names('a', 300), chunks('a', 300));
    await redis.del(keys.jobPrefix(MODEL, 'bulk') + 'prioritized');
    const [b, a] = await lane.share.takePriorities([...chunks('b', 1), ...chunks('a', 1)]);
    expect(a).toBe(b);
  });

  it.each(['wait', 'active'])('does not start over while a job is in %s', async (list) => {
    const lane = openLane({ transitMs: 0 });
    await lane.share.takePriorities(chunks('a', 300));
    await redis.lpush(keys.jobPrefix(MODEL, 'bulk') + list, 'job');
    expect(await lane.share.takePriorities(chunks('b', 1))).toEqual([1]);
    expect(await lane.share.takePriorities(chunks('a', 1))).toEqual([301]);
  });

  it('does not start over under a producer that took tags and has not added its jobs yet', async () => {
    const lane = openLane();
    await lane.share.takePriorities(chunks('slow', 64));
    // Else this one would stand behind the 64 that are on their way.
    expect(await lane.share.takePriorities(chunks('quick', 1))).toEqual([1]);
  });

  it('begins at 1 again when the lane is empty beyond half of the range', async () => {
    const lane = openLane({ transitMs: 0, maxPriority: 100 });
    await lane.add(names('a', 60), chunks('a', 60));
    while ((await lane.serve()) !== undefined);
    expect(await lane.share.takePriorities(chunks('a', 2))).toEqual([1, 2]);
  });

  it('gives back what was never served, but no more than takes a tenant to the virtual time', async () => {
    const lane = openLane();
    await lane.add(names('a', 10), chunks('a', 10));
    await lane.share.takePriorities(chunks('b', 10));
    await lane.share.refund(chunks('b', 4));
    expect(await lane.share.takePriorities(chunks('b', 1))).toEqual([7]);
    for (let count = 0; count < 5; count += 1) await lane.serve();
    await lane.share.refund([...chunks('b', 100), ...chunks('nobody', 3)]);
    expect(await lane.share.takePriorities(chunks('b', 1))).toEqual([5]);
    expect(await tagOf('nobody')).toBeNull();
  });

  it('forgets tenants that the virtual time has passed, some with each call, and all of it after a week', async () => {
    const lane = openLane();
    for (let from = 0; from < 300; from += 60) {
      const tenants = upTo(60).map((n) => ({ tenant: `once-${from + n}`, cost: 0.25 }));
      await lane.share.takePriorities(tenants);
    }
    await lane.add(names('a', 20), chunks('a', 20));
    expect(await redis.zcard(keys.fairShareTenants(MODEL))).toBe(301);
    for (let count = 0; count < 10; count += 1) await lane.serve();
    for (const left of [201, 101, 1]) {
      await lane.share.takePriorities(chunks('a', 1));
      expect(await redis.zcard(keys.fairShareTenants(MODEL))).toBe(left);
    }
    for (const key of [keys.fairShare(MODEL), keys.fairShareTenants(MODEL)]) {
      expect(await redis.pttl(key)).toBeGreaterThan(6 * 86_400_000);
    }
  });

  it('ends at the highest priority that BullMQ takes, for one tenant alone', async () => {
    const { share } = openLane({ maxPriority: 100 });
    expect((await share.takePriorities(chunks('a', 150))).slice(98)).toEqual([99, ...Array(51).fill(100)]);
    expect(await share.takePriorities(chunks('b', 1))).toEqual([1]);
  });

  it('takes what is no tag and no weight for none', async () => {
    const { share } = openLane();
    await redis.hset(keys.fairShare(MODEL), { served: 'nan', takenAtMs: '-inf', rebaseBy: 'x' });
    await redis.hset(keys.weights, { a: 'much', b: '0', c: 'inf', d: 'nan' });
    const priorities = await share.takePriorities(['a', 'b', 'c', 'd'].flatMap((name) => chunks(name, 2)));
    expect(priorities).toEqual([1, 2, 1, 101, 1, 1, 1, 2]);
  });
});
