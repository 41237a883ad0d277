import { FarmError, redisKeys, shardPrefix } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bulkJob, bulkJobs } from './queue/bulk-job.fixture.ts';
import { EncodeQueue } from './queue/encode-queue.ts';
import { FairShare } from './queue/fair-share.ts';
import { TenantWeights } from './queue/tenant-weights.ts';
import { connectRedis, disconnectRedis } from './redis/connect.ts';
import type { FarmRedis } from './redis/farm-redis.ts';
import { FarmWorker } from './worker/farm-worker.ts';

/** Chunks that a worker holds at once, which no later tag can pass. */
const HELD = 2;
const SLICE = 100;

describe('tenants of one bulk lane', () => {
  let server: TestRedis;
  let redis: FarmRedis;
  let queue: EncodeQueue;
  let encoder: FakeEncoder;
  let worker: FarmWorker;

  beforeAll(async () => {
    server = await openTestRedis();
  });
  afterAll(async () => {
    await server.close();
  });
  beforeEach(async () => {
    redis = connectRedis(server.url);
    queue = EncodeQueue.open(redis, shardPrefix(), 'fake', 'bulk');
    encoder = new FakeEncoder();
    encoder.hold();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: server.url });
  });
  afterEach(async () => {
    encoder.release();
    await worker.close();
    await queue.close();
    await redis.flushall();
    disconnectRedis(redis);
  });

  async function enqueue(tenant: string, count: number, options: { clientId?: string; from?: number } = {}) {
    const jobs = bulkJobs(tenant, count, options);
    for (let from = 0; from < count; from += SLICE) await queue.enqueue(jobs.slice(from, from + SLICE), 0);
  }

  /** Chunks begun so far, with as many in hand as the worker takes: whatever comes now stands behind these. */
  async function countBegun(): Promise<number> {
    await eventually(() => encoder.heldChunks === HELD);
    return encoder.calls.length;
  }

  /** Lets the encoder go until so many chunks have come in all; those held then wait. */
  async function serve(count: number): Promise<void> {
    encoder.release();
    await encoder.arrived(count);
    encoder.hold();
  }

  /** Tenants of the chunks, in the order that the worker began them. */
  function served(from = 0): string[] {
    return encoder.calls.slice(from).map(({ texts }) => String(texts[0]).split(' ')[0] ?? '');
  }

  function countOf(tenant: string, tenants: readonly string[]): number {
    return tenants.filter((name) => name === tenant).length;
  }

  it('serve a newcomer at once, one chunk for one of theirs, whatever a heavy tenant has queued', async () => {
    await enqueue('heavy', 3_000);
    await serve(200);
    const cameAt = await countBegun();
    await enqueue('newcomer', 8);
    await serve(cameAt + 40);
    const after = served(cameAt);
    expect(countOf('newcomer', after)).toBe(8);
    for (let nth = 1; nth <= 8; nth += 1) {
      const place = after.findIndex((_, index) => countOf('newcomer', after.slice(0, index + 1)) === nth);
      expect(countOf('heavy', after.slice(0, place))).toBeLessThanOrEqual(nth - 1 + HELD);
    }
  });

  it('share as tenants, not as clients: ten of one get together what one of another gets', async () => {
    for (let client = 0; client < 10; client += 1)
      await enqueue('many', 30, { clientId: `client-${client}` });
    await enqueue('single', 100, { clientId: 'client-of-single' });
    await serve(100);
    expect(countOf('single', served())).toBeGreaterThanOrEqual(50 - HELD);
    expect(countOf('many', served())).toBeGreaterThanOrEqual(50 - HELD);
  });

  it('share by their weights', async () => {
    await new TenantWeights(redis, redisKeys()).set('three', 3);
    await enqueue('one', 100);
    await enqueue('three', 100);
    await serve(100);
    expect(Math.abs(countOf('three', served()) - 75)).toBeLessThanOrEqual(HELD + 2);
  });

  it('start over together when the lane was empty, whatever they had before', async () => {
    await enqueue('early', 60);
    encoder.release();
    await encoder.arrived(60);
    await eventually(() => worker.heldJobs === 0);
    encoder.hold();
    await enqueue('late', 20);
    await enqueue('early', 20, { from: 60 });
    await serve(80);
    expect(Math.abs(countOf('early', served(60)) - 10)).toBeLessThanOrEqual(HELD);
  });

  it('have no credit for the time in which they were idle', async () => {
    await enqueue('idle', 1);
    await enqueue('busy', 300);
    await serve(200);
    const cameAt = await countBegun();
    await enqueue('idle', 60, { from: 1 });
    await serve(cameAt + 40);
    expect(Math.abs(countOf('idle', served(cameAt)) - 20)).toBeLessThanOrEqual(HELD);
  });

  it('move the virtual time by what failed and what was cancelled as well', async () => {
    encoder.release();
    encoder.failNext(new FarmError('invalid_argument', 'no such option'));
    await redis.hset(redisKeys().request(bulkJob('any', 2).requestId), 'state', 'cancelled');
    for (const [tags, job] of [bulkJob('any', 1), { ...bulkJob('any', 2), tracked: true }].entries()) {
      // One before it, so that its tag is above zero.
      if (tags === 0)
        await new FairShare(redis, redisKeys(), 'fake').takePriorities([{ tenant: 'any', cost: 1 }]);
      await queue.enqueue([job], 0);
      await eventually(
        async () => (await redis.hget(redisKeys().fairShare('fake'), 'served')) === `${tags + 1}`,
      );
    }
    expect(served()).toEqual(['any']);
  });

  it('have back what they took back: a cancelled backlog does not stand against its tenant', async () => {
    await enqueue('other', 100);
    await enqueue('sorry', 80);
    const jobIds = bulkJobs('sorry', 80).map(({ requestId }) => `${requestId}.0`);
    const removed = await queue.remove(jobIds);
    expect(removed.length).toBeGreaterThanOrEqual(80 - HELD);
    const cameAt = await countBegun();
    await enqueue('sorry', 20, { from: 80 });
    await serve(cameAt + 30);
    expect(countOf('sorry', served(cameAt))).toBeGreaterThanOrEqual(15 - HELD);
  });

  it('do not pay for what Redis had no memory for', async () => {
    await queue.enqueue([bulkJob('full', 0)], 0);
    await encoder.arrived(1);
    const before = await redis.zscore(redisKeys().fairShareTenants('fake'), 'full');
    // Enough for the tags, too little for the jobs.
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', used + 400_000);
    try {
      const large = bulkJobs('full', 60, { from: 1 }).map((job) => ({
        ...job,
        texts: ['x'.repeat(900_000)],
      }));
      await expect(queue.enqueue(large, 0)).rejects.toThrow('OOM');
    } finally {
      await redis.config('SET', 'maxmemory', 0);
    }
    expect(await redis.zscore(redisKeys().fairShareTenants('fake'), 'full')).toBe(before);
  });
});
