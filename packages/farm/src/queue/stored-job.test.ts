import { encodeOptionsSchema, type EncodeJob } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import { EncodeQueue } from './encode-queue.ts';
import { JOB_TERMS } from './stored-job.ts';

const NOW_MS = 1_795_000_000_000;
const bulk = { priority: 7, share: { tenant: 'a', cost: 3 } };

let server: TestRedis;
let client: Redis;

beforeAll(async () => {
  server = await openTestRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.close();
});

function chunk(requestId: string): EncodeJob {
  return {
    version: 1,
    requestId,
    chunkIndex: 0,
    clientId: 'client',
    model: 'fake',
    fingerprint: 'weights',
    texts: ['a text', 'ein Text — 文'],
    options: encodeOptionsSchema.parse({}),
    tracked: false,
    awaited: true,
    deadlineMs: NOW_MS + 1_000,
    resultTtlMs: 1_000,
  };
}

it.each(['one', 'several'] as const)('a queue stores %s as Queue.add of BullMQ does', async (count) => {
  const redis = connectRedis(server.url);
  const bare = new Queue('bare', { connection: redis, prefix: '{embedfarm}' });
  const queue = EncodeQueue.open(redis, 'embedfarm', 'fake', 'interactive');
  const jobs = count === 'one' ? [chunk('0-one')] : [chunk('0-two'), chunk('0-three')];
  try {
    await queue.enqueue(jobs, NOW_MS);
    for (const job of jobs) {
      const jobId = `${job.requestId}.0`;
      await bare.add('2 texts', job, { ...JOB_TERMS, jobId, timestamp: NOW_MS });
      const key = queue.jobKeys(jobId).job;
      const stored = await client.hgetallBuffer(key);
      expect(Object.keys(stored)).toContain('data');
      expect(stored).toEqual(await client.hgetallBuffer(bare.toKey(jobId)));
    }
  } finally {
    await queue.close();
    await bare.close();
    disconnectRedis(redis);
  }
});

it('stores the place of a job of the bulk lane as Queue.add does', async () => {
  const redis = connectRedis(server.url);
  const bare = new Queue('bare-bulk', { connection: redis, prefix: '{embedfarm}' });
  const queue = EncodeQueue.open(redis, 'embedfarm', 'fake', 'bulk');
  const job = chunk('0-bulk');
  try {
    await queue.enqueue([job], NOW_MS);
    const stored = await client.hgetallBuffer(queue.jobKeys('0-bulk.0').job);
    const { priority, share } = JSON.parse(String(stored['opts'])) as typeof bulk;
    expect(priority).toBeGreaterThan(0);
    const place = { priority, share };
    await bare.add('2 texts', job, { ...JOB_TERMS, jobId: '0-bulk.0', timestamp: NOW_MS, ...place });
    expect(sorted(stored)).toEqual(sorted(await client.hgetallBuffer(bare.toKey('0-bulk.0'))));
    expect(await client.zcard(queue.jobKeys('x').job.replace(/x$/, 'prioritized'))).toBe(1);
  } finally {
    await queue.close();
    await bare.close();
    disconnectRedis(redis);
  }
});

/** The options with their fields in order: which comes first says nothing. */
function sorted(hash: Record<string, Buffer>): Record<string, unknown> {
  const opts = JSON.parse(String(hash['opts'])) as object;
  return { ...hash, opts: Object.fromEntries(Object.entries(opts).toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}
