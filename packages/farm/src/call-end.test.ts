import { encodeRequestSchema } from '@embedfarm/contract';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = encodeRequestSchema.parse({});
const boom = () => {
  throw new TypeError('boom');
};

describe('a call that ends badly', () => {
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

  it('is cancelled when the client closes in the tick that made it', async () => {
    await producer.encode(['the model is known now'], request, {});
    const calls = [producer.encode(['a'], request, {}), producer.submit(['b'], request, {}, {})];
    const outcomes = Promise.allSettled(calls);
    await producer.close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'cancelled' } });
  });

  it('is cancelled when the client closes while it waits for a submitted request, and after', async () => {
    encoder.hold();
    const id = await producer.submit(['held'], request, {}, {});
    await encoder.arrived(1);
    const outcome = producer.awaitResult(id, {}).catch((error: unknown) => error);
    await producer.close();
    expect(await outcome).toMatchObject({ code: 'cancelled' });
    await expect(producer.readRequest(id)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('says so when Redis does not tell of a request in time', async () => {
    const id = await producer.submit(['done'], request, {}, {});
    await producer.awaitResult(id, {});
    const client = new Redis(redis.url);
    await client.call('CLIENT', 'PAUSE', '60000', 'ALL');
    client.disconnect();
    await expect(producer.readRequest(id)).rejects.toMatchObject({ code: 'redis_unavailable' });
  }, 20_000);

  it('has the error of the listener that threw', async () => {
    const failed = { code: 'internal', message: '[internal] boom' };
    const options = { onProgress: boom };
    await expect(producer.encode(['a'], request, options)).rejects.toMatchObject(failed);
    await expect(producer.submit(['a'], request, {}, options)).rejects.toMatchObject(failed);
    const id = await producer.submit(['a'], request, {}, {});
    await expect(producer.awaitResult(id, options)).rejects.toMatchObject(failed);
  });
});
