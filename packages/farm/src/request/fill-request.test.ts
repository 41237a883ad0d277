import { eventually } from '@embedfarm/testkit/eventually';
import { fakeVector } from '@embedfarm/testkit/fake-encoder';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Producer } from '../producer/producer.ts';
import { encodeRequest, manyTexts, TestFarm } from '../testing/test-farm.ts';
import { openRequest, planChunks } from './fill-request.ts';

describe('a request that is filled', () => {
  let farm: TestFarm;
  let producer: Producer;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    producer = await farm.openProducer();
  });
  afterEach(async () => {
    await farm.rest();
    const waiting = [/:(wait|prioritized|active|failed|\d+)$/, /:0-[^:]*\.\d+$/];
    expect(await keysWithoutTtl(farm.redis.url, waiting)).toEqual([]);
  });

  it('of an iterable has its id at once, fills as the source gives, and ends with all of it', async () => {
    await farm.openWorker();
    let go!: () => void;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const texts = manyTexts(700);
    async function* source() {
      yield* texts.slice(0, 300);
      await gate;
      yield* texts.slice(300);
    }
    const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, {});
    expect(await producer.requests.read(requestId)).toMatchObject({ state: 'filling' });
    // What a silent source gave is sent on.
    await eventually(async () => (await producer.requests.read(requestId)).textsDone === 300);
    expect(await producer.requests.read(requestId)).toMatchObject({ state: 'filling', texts: 300 });
    go();
    await filled;
    const { block } = await producer.requests.result(requestId, {}, {});
    expect(Array.from(block.values)).toEqual(texts.flatMap(fakeVector));
    expect(await producer.requests.read(requestId)).toMatchObject({ state: 'completed', texts: 700 });
    expect(await farm.client.zcard(farm.keys.openRequests)).toBe(0);
  });

  it('of an empty iterable is completed, with nothing', async () => {
    await farm.registerModel();
    const { requestId, filled } = await producer.requests.submit(new Set<string>(), encodeRequest(), {}, {});
    await filled;
    expect(await producer.requests.read(requestId)).toMatchObject({ state: 'completed', texts: 0 });
    expect((await producer.requests.result(requestId, {}, {})).block.tokens).toHaveLength(0);
  });

  it('has the error of a text of an iterable that is none at its index, and the vectors of the others', async () => {
    await farm.openWorker();
    const texts = ['a', 7 as unknown as string, 'x'.repeat(1_000_001), 'd', 'bad text'];
    const { requestId } = await producer.requests.submit(new Set(texts), encodeRequest(), {}, {});
    const { block } = await producer.requests.result(requestId, {}, {});
    expect(Array.from(block.values)).toEqual(['a', 'd'].flatMap(fakeVector));
    expect(block.failures).toEqual([
      {
        code: 'invalid_argument',
        message: 'texts[1] must be a string or a pair of strings, got number',
        texts: [1],
      },
      { code: 'invalid_argument', message: 'texts[2] has 1000001 bytes, limit is 1000000', texts: [2] },
      { code: 'internal', message: 'told to fail', texts: [4] },
    ]);
    expect(await producer.requests.read(requestId)).toMatchObject({ textsDone: 2, textsFailed: 3 });
  });

  it('whose source throws ends incomplete, with what it gave and why', async () => {
    await farm.openWorker();
    function* source() {
      yield* manyTexts(300);
      throw new Error('the file is gone');
    }
    const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, {});
    await expect(filled).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('failed at texts[300]: the file is gone'),
    });
    const record = await producer.requests.wait(requestId, {});
    expect(record).toMatchObject({ state: 'incomplete', texts: 300, textsDone: 300 });
    expect(record.fault).toContain('the file is gone');
    expect((await producer.requests.result(requestId, {}, {})).block.tokens).toHaveLength(300);
  });

  it('whose source has not ended by the deadline ends incomplete, with what it gave', async () => {
    await farm.openWorker();
    async function* source() {
      yield* manyTexts(300);
      await new Promise(() => undefined);
    }
    const options = { timeoutMs: 1_500 };
    const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, options);
    await expect(filled).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(await producer.requests.wait(requestId, {})).toMatchObject({
      state: 'incomplete',
      textsDone: 300,
    });
  });

  it('whose producer closes while it fills ends incomplete', async () => {
    await farm.openWorker();
    const other = await farm.openProducer();
    async function* source() {
      yield* manyTexts(20);
      await new Promise(() => undefined);
    }
    const { requestId, filled } = await other.requests.submit(source(), encodeRequest(), {}, {});
    const outcome = filled.catch((error: unknown) => error);
    await eventually(async () => (await producer.requests.read(requestId)).textsDone === 20);
    await other.close();
    expect(await outcome).toMatchObject({ code: 'cancelled' });
    expect(await producer.requests.wait(requestId, {})).toMatchObject({ state: 'incomplete', textsDone: 20 });
  });

  it('whose producer is not heard of ends with the jobs that are there, though it had planned more', async () => {
    await farm.openWorker();
    const requestId = '0-dead-1';
    await openRequest(farm.client, farm.keys, {
      requestId,
      clientId: 'dead',
      tenant: undefined,
      model: 'fake',
      lane: 'bulk',
      fingerprint: 'fake-1',
      label: undefined,
      webhook: undefined,
      options: { dtype: 'float32', truncate: 'end' },
      size: { texts: 30, chunks: 3 },
      resultTtlMs: 60_000,
    });
    await planChunks(farm.client, farm.keys, requestId, { chunks: 0, texts: 0, nextStarts: [0, 10, 20] });
    // One of two planned jobs is there: the first is settled, of the other there is no trace.
    await farm.client.setbit(farm.keys.requestBits(requestId), 0, 1);
    await farm.client.hincrby(farm.keys.request(requestId), 'chunksSettled', 1);
    await eventually(async () => (await producer.requests.read(requestId)).state !== 'filling');
    expect(await producer.requests.read(requestId)).toMatchObject({
      state: 'incomplete',
      texts: 10,
      chunks: 1,
    });
    await farm.client.del(farm.keys.requestBits(requestId));
  });

  it('that is cancelled while it is filled takes no more', async () => {
    await farm.registerModel();
    let go!: () => void;
    const gate = new Promise<void>((resolve) => (go = resolve));
    async function* source() {
      yield* manyTexts(10);
      await gate;
      yield* manyTexts(1_000);
    }
    const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, {});
    const outcome = filled.catch((error: unknown) => error);
    await eventually(async () => (await producer.requests.read(requestId)).texts === 10);
    const other = await farm.openProducer();
    expect(await other.requests.cancel(requestId)).toMatchObject({ state: 'cancelled', texts: 10 });
    go();
    expect(await outcome).toMatchObject({ code: 'cancelled' });
    await eventually(async () => (await farm.client.zcard('{embedfarm}:fake-bulk:prioritized')) === 0);
    expect((await other.requests.read(requestId)).endedAtMs).toBeDefined();
  });
});
