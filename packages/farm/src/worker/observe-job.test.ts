import { FarmError } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { FarmWorker, type JobEnd } from './farm-worker.ts';

checkOpenHandles();

let farm: TestFarm;
let worker: FarmWorker;
let encoder: FakeEncoder;
let ends: JobEnd[];
let lookups: { lookups: number; hits: number };

async function openWorker(): Promise<void> {
  encoder = new FakeEncoder();
  ends = [];
  lookups = { lookups: 0, hits: 0 };
  worker = await FarmWorker.open(
    fakeRegistration(),
    encoder,
    { redis: farm.redis.url },
    {
      onJobEnd: (end) => ends.push(end),
      onCacheLookup: (more) => {
        lookups = { lookups: lookups.lookups + more.lookups, hits: lookups.hits + more.hits };
      },
    },
  );
}

beforeAll(async () => {
  farm = await TestFarm.open();
});
afterEach(async () => {
  await farm.rest();
  await worker.close();
});
afterAll(() => farm.close());

const ended = (count: number): Promise<unknown> => eventually(() => ends.length >= count);

describe('what a worker tells of its jobs', () => {
  it('is one end a chunk: its lane, its tokens, and where the time went', async () => {
    await openWorker();
    const producer = await farm.openProducer();
    await producer.encode(['a', 'bad text'], encodeRequest({ model: 'fake' }), {}).catch(() => undefined);
    await ended(1);
    expect(ends).toEqual([
      {
        requestId: expect.any(String),
        chunkIndex: 0,
        lane: 'interactive',
        outcome: 'done',
        code: undefined,
        texts: 2,
        tokens: 13,
        failures: [{ code: 'internal', texts: 1 }],
        timing: { queueMs: expect.any(Number), tokenizeMs: 1, batchWaitMs: 1, deviceMs: 1 },
        storeMs: expect.any(Number),
        totalMs: expect.any(Number),
        trace: undefined,
        isSuspect: false,
      },
    ]);
    expect(JSON.stringify(ends)).not.toContain('bad text');
  });

  it('says that a chunk failed, and of how many texts', async () => {
    await openWorker();
    encoder.failNext(new FarmError('invalid_argument', 'told to fail'));
    const producer = await farm.openProducer();
    const call = producer.encode(manyTexts(3), encodeRequest({ model: 'fake', lane: 'bulk' }), {});
    await expect(call).rejects.toThrow('told to fail');
    await ended(1);
    expect(ends).toMatchObject([
      {
        lane: 'bulk',
        outcome: 'failed',
        code: 'invalid_argument',
        texts: 3,
        failures: [{ code: 'invalid_argument', texts: 3 }],
      },
    ]);
  });

  it('tells a retry and the run after it apart', async () => {
    await openWorker();
    encoder.failNext(new FarmError('device_lost', 'told to fail'));
    const producer = await farm.openProducer();
    await producer.encode(['a'], encodeRequest({ model: 'fake' }), {});
    await ended(2);
    expect(ends).toMatchObject([
      { outcome: 'retried', code: 'device_lost', texts: 1, tokens: 0, failures: [] },
      { outcome: 'done', texts: 1, tokens: 3 },
    ]);
  });

  it('counts no failed text of a request that was cancelled', async () => {
    await openWorker();
    encoder.hold();
    const producer = await farm.openProducer();
    const requestId = await submitted(producer, ['a'], encodeRequest({ model: 'fake' }), {}, {});
    await encoder.arrived(1);
    await producer.requests.cancel(requestId);
    await ended(1);
    expect(ends).toMatchObject([{ requestId, outcome: 'cancelled', code: 'cancelled', failures: [] }]);
  });

  it('says what went back to the queue when it drained', async () => {
    await openWorker();
    encoder.hold();
    const producer = await farm.openProducer();
    await submitted(producer, ['a'], encodeRequest({ model: 'fake' }), {}, {});
    await encoder.arrived(1);
    await worker.close({ graceMs: 0 });
    expect(ends).toMatchObject([{ outcome: 'returned', code: 'cancelled' }]);
  });

  it('tells a job that is no chunk by its name alone', async () => {
    await openWorker();
    const job = { name: '7 texts', data: '"nonsense"', opts: '{}', timestamp: '1', atm: '0' };
    await farm.client.hset('{embedfarm}:fake-interactive:nonsense', job);
    await farm.client.lpush('{embedfarm}:fake-interactive:wait', 'nonsense');
    await farm.client.zadd('{embedfarm}:fake-interactive:marker', 0, '0');
    await ended(1);
    expect(ends.filter(({ requestId }) => requestId === '')).toMatchObject([
      { outcome: 'failed', code: 'invalid_argument', texts: 7 },
    ]);
  });

  it('counts what it looked up in the cache, a text twice in a chunk as a hit', async () => {
    await openWorker();
    const producer = await farm.openProducer();
    const request = encodeRequest({ model: 'fake', cache: true });
    await producer.encode(['a', 'a', 'b'], request, {});
    expect(lookups).toEqual({ lookups: 3, hits: 1 });
  });

  it('knows whether Redis answers', async () => {
    await openWorker();
    expect(await worker.isRedisUp()).toBe(true);
    await farm.redis.kill();
    await eventually(async () => !(await worker.isRedisUp()));
    await farm.redis.restart();
    await eventually(() => worker.isRedisUp());
  });
});
