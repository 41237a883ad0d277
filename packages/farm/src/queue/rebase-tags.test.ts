import { queueName, redisKeys, shardPrefix } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Queue, Worker, type Job } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { FairShare } from './fair-share.ts';

const TOKEN = 'test';
const keys = redisKeys();

describe('jobs of BullMQ when the tags are lowered', () => {
  let server: TestRedis;
  let redis: FarmRedis;
  let queue: Queue;
  let worker: Worker;
  let share: FairShare;
  let added: number;

  beforeAll(async () => {
    server = await openTestRedis();
    redis = connectRedis(server.url);
    const name = queueName('fake', 'bulk');
    queue = new Queue(name, { connection: redis, prefix: shardPrefix() });
    worker = new Worker(name, undefined, { connection: redis, prefix: shardPrefix(), autorun: false });
    await worker.waitUntilReady();
  });
  afterAll(async () => {
    await worker.close();
    await queue.close();
    disconnectRedis(redis);
    await server.close();
  });
  beforeEach(async () => {
    await redis.flushall();
    share = new FairShare(redis, keys, 'fake', { maxPriority: 100, rebaseJobs: 7 });
    added = 0;
  });

  async function add(count: number): Promise<void> {
    const priorities = await share.takePriorities(
      Array.from({ length: count }, () => ({ tenant: 'a', cost: 1 })),
    );
    for (const priority of priorities) {
      await queue.add('encode', {}, { jobId: `job-${added}`, priority, attempts: 2, backoff: 60_000 });
      added += 1;
    }
  }

  async function pull(): Promise<Job> {
    const job = await worker.getNextJob(TOKEN, { block: false });
    if (!job) throw new Error('no job waits');
    return job;
  }

  const complete = async (job: Job) => await job.moveToCompleted(null, TOKEN, false);

  const isRebasing = async () => (await redis.hexists(keys.fairShare('fake'), 'rebaseBy')) === 1;

  /** 16 of 60 served; the next to come sets it off. */
  async function comeNearTheEnd(): Promise<void> {
    await add(60);
    for (let count = 0; count < 16; count += 1) await complete(await pull());
  }

  it('keep their order while some are lowered and others are not, and from then on', async () => {
    await comeNearTheEnd();
    await add(28);
    expect(await isRebasing()).toBe(true);
    const order: string[] = [];
    while (await isRebasing()) {
      const job = await pull();
      order.push(String(job.id));
      await complete(job);
      await add(1);
    }
    expect(
      await redis.zcount(keys.jobPrefix('fake', 'bulk') + 'prioritized', 0, 16 * 2 ** 32),
    ).toBeGreaterThan(0);
    while (order.length + 16 < added) {
      const job = await pull();
      order.push(String(job.id));
      await complete(job);
    }
    expect(order).toEqual(Array.from({ length: added - 16 }, (_, index) => `job-${index + 16}`));
  });

  it.each([
    ['is given back', async (job: Job) => void (await job.moveToWait(TOKEN))],
    [
      'has failed and is tried again',
      async (job: Job) => {
        await job.moveToFailed(new Error('once'), TOKEN, false);
        await job.promote();
      },
    ],
  ])('stand where they stood when one that was in hand meanwhile %s', async (_, comeBack) => {
    await comeNearTheEnd();
    const held = await pull();
    await add(28);
    while (await isRebasing()) await add(1);
    await comeBack(held);
    expect((await pull()).id).toBe(held.id);
  });

  it('stand where they stood when one that had failed before is tried again after', async () => {
    await comeNearTheEnd();
    const failed = await pull();
    await failed.moveToFailed(new Error('once'), TOKEN, false);
    await add(28);
    while (await isRebasing()) await add(1);
    await failed.promote();
    expect((await pull()).id).toBe(failed.id);
  });
});
