import { encodeJobId, MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Producer } from '../producer/producer.ts';
import { encodeRequest, manyTexts, TestFarm } from '../testing/test-farm.ts';
import { finishChunk } from '../worker/finish-chunk.ts';
import { lostBlock, tendRequests } from './tend-requests.ts';

describe('a submitted request', () => {
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

  async function rowsOf(id: string, reading: object = {}, by = producer): Promise<[number, number[]][]> {
    const rows: [number, number[]][] = [];
    for await (const { from, block } of by.requests.chunks(id, reading, {})) {
      rows.push([from, Array.from(block.values)]);
    }
    return rows;
  }

  it('keeps what was done when it is cancelled: waiting jobs go, the one that runs is aborted, each settled once', async () => {
    const encoder = new FakeEncoder();
    await farm.openWorker(encoder);
    const texts = manyTexts(6 * MAX_CHUNK_TEXTS);
    const { requestId } = await producer.requests.submit(texts, encodeRequest(), {}, {});
    await eventually(async () => (await producer.requests.read(requestId)).chunksSettled > 0 || undefined);
    const { requestId: held } = await (async () => {
      await producer.requests.wait(requestId, {});
      encoder.hold();
      return await producer.requests.submit(texts, encodeRequest(), {}, {});
    })();
    // Two are with the worker, four wait.
    await encoder.arrived(8);
    await producer.requests.cancel(held);
    const record = await producer.requests.wait(held, {});
    expect(record).toMatchObject({ state: 'cancelled', chunksSettled: 6, textsDone: 0, textsFailed: 0 });
    expect(await farm.client.zcard('{embedfarm}:fake-bulk:prioritized')).toBe(0);
    expect(encoder.calls).toHaveLength(8);
    await expect(producer.requests.result(held, {}, {})).rejects.toMatchObject({ code: 'cancelled' });
    // One that has ended stays as it is.
    expect(await producer.requests.cancel(requestId)).toMatchObject({ state: 'completed' });
    expect(await producer.requests.cancel(held)).toMatchObject({ state: 'cancelled' });
    await expect(producer.requests.cancel('0-never-1')).rejects.toMatchObject({ code: 'result_expired' });
  });

  it('gives the rows that were done before it was cancelled, and the error of the others', async () => {
    const encoder = new FakeEncoder();
    const texts = manyTexts(2 * MAX_CHUNK_TEXTS);
    await farm.openWorker(encoder);
    let go!: () => void;
    const gate = new Promise<void>((resolve) => (go = resolve));
    async function* source() {
      yield* texts.slice(0, 10);
      await gate;
      yield* texts.slice(10);
    }
    const { requestId, filled } = await producer.requests.submit(source(), encodeRequest(), {}, {});
    filled.catch(() => undefined);
    await eventually(async () => (await producer.requests.read(requestId)).textsDone === 10);
    encoder.hold();
    go();
    await filled;
    await producer.requests.cancel(requestId);
    await producer.requests.wait(requestId, {});
    const chunks = [];
    for await (const chunk of producer.requests.chunks(requestId, {}, {})) chunks.push(chunk);
    expect(Array.from(chunks[0]?.block.values ?? [])).toEqual(texts.slice(0, 10).flatMap(fakeVector));
    const cancelled = chunks.slice(1).flatMap(({ block }) => block.failures);
    expect(new Set(cancelled.map(({ code }) => code))).toEqual(new Set(['cancelled']));
    expect(cancelled.flatMap((failure) => failure.texts)).toHaveLength(texts.length - 10);
  });

  it('gives rows in order, as they are finished, and from a text on', async () => {
    await farm.openWorker();
    const texts = manyTexts(3 * MAX_CHUNK_TEXTS);
    const { requestId } = await producer.requests.submit(texts, encodeRequest(), {}, {});
    const inOrder = await rowsOf(requestId);
    expect(inOrder.map(([from]) => from)).toEqual([0, MAX_CHUNK_TEXTS, 2 * MAX_CHUNK_TEXTS]);
    expect(inOrder.flatMap(([, values]) => values)).toEqual(texts.flatMap(fakeVector));
    const finished = await rowsOf(requestId, { order: 'finished' });
    expect(finished.toSorted(([a], [b]) => a - b)).toEqual(inOrder);
    expect(await rowsOf(requestId, { from: MAX_CHUNK_TEXTS + 3 })).toEqual(inOrder.slice(1));
  });

  it('gives a finished chunk before an earlier one that is not', async () => {
    await farm.registerModel();
    const texts = manyTexts(2 * MAX_CHUNK_TEXTS);
    const { requestId } = await producer.requests.submit(texts, encodeRequest(), {}, {});
    const first = encodeJobId(requestId, 0);
    const job = await farm.client.hgetall(`{embedfarm}:fake-bulk:${first}`);
    const score = await farm.client.zscore('{embedfarm}:fake-bulk:prioritized', first);
    await farm.client.zrem('{embedfarm}:fake-bulk:prioritized', first);
    await farm.openWorker();
    const froms: number[] = [];
    for await (const { from } of producer.requests.chunks(requestId, { order: 'finished' }, {})) {
      froms.push(from);
      if (froms.length > 1) continue;
      expect(job['data']).toContain('text 0');
      await farm.client.zadd('{embedfarm}:fake-bulk:prioritized', `${score}`, first);
      await farm.client.zadd('{embedfarm}:fake-bulk:marker', 0, '0');
    }
    expect(froms).toEqual([MAX_CHUNK_TEXTS, 0]);
  });

  it('deletes what was read where the reader consumes, and is expired when all is', async () => {
    await farm.openWorker();
    const texts = manyTexts(2 * MAX_CHUNK_TEXTS);
    const { requestId } = await producer.requests.submit(texts, encodeRequest(), {}, {});
    await producer.requests.wait(requestId, {});
    for await (const { from } of producer.requests.chunks(requestId, { consume: true }, {})) {
      // The one in hand is still there: a reader that dies here may read it again.
      expect(await farm.client.exists(farm.keys.result(encodeJobId(requestId, from === 0 ? 0 : 1)))).toBe(1);
    }
    expect(await farm.client.keys('*:result:*')).toEqual([]);
    expect(await producer.requests.read(requestId)).toMatchObject({ state: 'expired' });
    await expect(producer.requests.result(requestId, {}, {})).rejects.toMatchObject({
      code: 'result_expired',
    });
  });

  it('keeps its result for as long as was asked for, then says that it is gone', async () => {
    await farm.openWorker();
    const { requestId } = await producer.requests.submit(['a'], encodeRequest(), { resultTtlMs: 300 }, {});
    await producer.requests.wait(requestId, {});
    await eventually(async () => (await producer.requests.read(requestId)).state === 'expired');
    await expect(producer.requests.result(requestId, {}, {})).rejects.toMatchObject({
      code: 'result_expired',
    });
    expect(await producer.requests.list({ state: 'expired' })).toHaveLength(1);
  });

  it('is listed by label and state, the newest first', async () => {
    await farm.openWorker();
    const ids: string[] = [];
    for (const label of ['one', 'two', 'one']) {
      const { requestId } = await producer.requests.submit(['a'], encodeRequest(), { label }, {});
      ids.push((await producer.requests.wait(requestId, {})).requestId);
    }
    const listed = async (filter: object) =>
      (await producer.requests.list(filter)).map(({ requestId }) => requestId);
    expect(new Set(await listed({}))).toEqual(new Set(ids));
    expect(new Set(await listed({ label: 'one' }))).toEqual(new Set([ids[2], ids[0]]));
    expect(await listed({ state: 'cancelled' })).toEqual([]);
    expect(await listed({ limit: 1 })).toHaveLength(1);
  });

  it('ends with a failure where Redis lost a job, whoever looks after it', async () => {
    const worker = await farm.openWorker();
    await worker.close();
    const { requestId } = await producer.requests.submit(manyTexts(300), encodeRequest(), {}, {});
    await farm.client.zrem('{embedfarm}:fake-bulk:prioritized', `${requestId}.1`);
    await farm.client.del(`{embedfarm}:fake-bulk:${requestId}.1`);
    await farm.client.del(farm.keys.requestTender);
    const settled: number[] = [];
    await tendRequests({
      redis: farm.client,
      keys: farm.keys,
      nowMs: () => Date.now() + 60_000,
      settleLost: async (job) => {
        settled.push(job.chunkIndex);
        await finishChunk(farm.client, farm.keys, job, 'tender', {
          status: 'failed',
          block: lostBlock(job.texts.length),
        });
      },
    });
    expect(settled).toEqual([1]);
    await farm.openWorker();
    const record = await producer.requests.wait(requestId, {});
    expect(record).toMatchObject({ state: 'completed', textsDone: 256, textsFailed: 44 });
  });
});
