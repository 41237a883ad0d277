import { encodeRequestSchema, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const keys = redisKeys();
const request = encodeRequestSchema.parse({});
// A job whose lock is gone is another worker's within a few tenths of a second.
const impatient = { lockDurationMs: 60_000, stalledIntervalMs: 200 };

describe('a chunk that runs twice', () => {
  let redis: TestRedis;
  let client: Redis;
  let producer: Producer;
  let first: FakeEncoder;
  let silent: FarmWorker;
  const workers: FarmWorker[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
    first = new FakeEncoder();
    silent = await openWorker(first);
    producer = await Producer.open({ redis: redis.url });
  });
  afterEach(async () => {
    await producer.close();
    for (const worker of workers.splice(0)) await worker.close();
    client.disconnect();
    await redis.close();
  });

  async function openWorker(encoder: FakeEncoder): Promise<FarmWorker> {
    const worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url, ...impatient });
    workers.push(worker);
    return worker;
  }

  /** As if the worker had not renewed it, for its event loop stood still. */
  async function takeLock(): Promise<void> {
    const [lock = ''] = await client.keys(`${keys.jobPrefix('fake', 'interactive')}*:lock`);
    await client.unlink(lock);
  }

  async function countedTexts(): Promise<number> {
    const counts = await Promise.all(
      (await client.keys(`${keys.statsPrefix}*`)).map((name) => client.hget(name, 'texts')),
    );
    return counts.reduce((sum, texts) => sum + Number(texts), 0);
  }

  it('counts once, also when its client has read the result of the other run', async () => {
    first.hold();
    const call = producer.encode(['once'], request, {});
    await first.arrived(1);
    // It pulls no more, so that the other run is another worker's.
    const closing = silent.close();
    await takeLock();
    const second = new FakeEncoder();
    await openWorker(second);
    expect(Array.from((await call).block.values)).toEqual(fakeVector('once'));
    await eventually(async () => (await client.keys(keys.result('*'))).length === 0);
    first.release();
    await closing;
    expect([first.calls.length, second.calls.length, await countedTexts()]).toEqual([1, 1, 1]);
  });

  it('is not encoded again when its worker died after it had settled it', async () => {
    first.hold();
    const call = producer.encode(['settled'], request, {});
    await first.arrived(1);
    const [lock = ''] = await client.keys(`${keys.jobPrefix('fake', 'interactive')}*:lock`);
    // The job cannot end: its worker takes the lock for another's.
    await client.set(lock, 'somebody', 'PX', 60_000);
    first.release();
    await call;
    await eventually(async () => (await client.keys(keys.result('*'))).length === 0);
    await takeLock();
    const second = new FakeEncoder();
    await openWorker(second);
    await eventually(async () => (await client.llen(`${keys.jobPrefix('fake', 'interactive')}active`)) === 0);
    await eventually(async () => (await client.llen(`${keys.jobPrefix('fake', 'interactive')}wait`)) === 0);
    expect([first.calls.length + second.calls.length, await countedTexts()]).toEqual([1, 1]);
  });
});
