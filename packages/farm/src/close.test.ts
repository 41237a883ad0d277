import { encodeRequestSchema } from '@embedfarm/contract';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = encodeRequestSchema.parse({});

describe('close', () => {
  let redis: TestRedis;
  let encoder: FakeEncoder;
  let worker: FarmWorker;
  let producer: Producer;

  beforeEach(async () => {
    redis = await openTestRedis();
    encoder = new FakeEncoder();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    producer = await Producer.open({ redis: redis.url });
  });
  afterEach(async () => {
    encoder.release();
    await producer.close();
    await worker.close({ graceMs: 0 }).catch(() => undefined);
    await redis.close();
  });

  async function pauseRedis(): Promise<void> {
    const client = new Redis(redis.url);
    await client.call('CLIENT', 'PAUSE', '60000', 'ALL');
    client.disconnect();
  }

  it('of a client ends while Redis is gone, with a call in flight', async () => {
    encoder.hold();
    const call = producer.encode(['in flight'], request, {}).catch((error: unknown) => error);
    await encoder.arrived(1);
    await redis.kill();
    await producer.close();
    expect(await call).toMatchObject({ code: 'cancelled' });
  });

  it('of a client ends while Redis does not answer', async () => {
    await pauseRedis();
    await expect(producer.close()).resolves.toBeUndefined();
  });

  it('of a worker ends while Redis is gone, with a finished chunk in hand, and says so', async () => {
    encoder.hold();
    const call = producer.encode(['in hand'], request, { timeoutMs: 500 }).catch((error: unknown) => error);
    await encoder.arrived(1);
    await redis.kill();
    encoder.release();
    await expect(worker.close({ graceMs: 0 })).rejects.toThrow('the worker closed with faults');
    expect(worker.state).toBe('closed');
    expect(await call).toMatchObject({ code: 'redis_unavailable' });
  }, 20_000);

  it('of a worker ends while Redis does not answer', async () => {
    await pauseRedis();
    await worker.close({ graceMs: 0 }).catch(() => undefined);
    expect(worker.state).toBe('closed');
  }, 20_000);
});
