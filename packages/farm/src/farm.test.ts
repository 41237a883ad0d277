import { encodeRequestSchema, redisKeys, FarmError, encodeJobId } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from './inspect/inspector.ts';
import { Producer } from './producer/producer.ts';
import { TextsFailed, type EncodedTexts } from './producer/encoded-texts.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = (options: object = {}) => encodeRequestSchema.parse(options);

describe('a farm of one worker and one client', () => {
  let redis: TestRedis;
  let producer: Producer;
  let worker: FarmWorker;
  let encoder: FakeEncoder;

  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(async () => {
    await redis.close();
  });
  beforeEach(async () => {
    encoder = new FakeEncoder();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    producer = await Producer.open({ redis: redis.url });
  });
  afterEach(async () => {
    encoder.release();
    await producer.close();
    await worker.close();
    // BullMQ keeps failed jobs by age and number, not by a time to live of their keys.
    const kept = (await keysWithoutTtl(redis.url)).filter((key) => !/:fake-(interactive|bulk):/.test(key));
    await flush(redis.url);
    expect(kept).toEqual([]);
  });

  it('encodes texts in the order given', async () => {
    const encoded = await producer.encode(['a', 'bcd', ''], request(), {});
    expect(rowsOf(encoded)).toEqual(['a', 'bcd', ''].map(fakeVector));
    expect(encoded.model).toBe('fake');
    expect(encoded.timing.totalMs).toBeGreaterThanOrEqual(0);
  });

  it('puts the calls of one tick into one job, and gives each its own rows', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const encoded = await Promise.all(texts.map((text) => producer.encode([text], request(), {})));
    expect(encoded.map(rowsOf)).toEqual(texts.map((text) => [fakeVector(text)]));
    expect(encoder.calls).toHaveLength(1);
  });

  it('does not put calls with other options into the same job', async () => {
    await Promise.all([
      producer.encode(['a'], request(), {}),
      producer.encode(['b'], request({ dimensions: 2 }), {}),
      producer.encode(['c'], request({ lane: 'bulk' }), {}),
      producer.encode(['d'], request({ dtype: 'float16' }), {}),
    ]);
    expect(new Set(encoder.calls.map(({ texts }) => texts.join()))).toEqual(new Set(['a', 'b', 'c', 'd']));
  });

  it('sends more than 256 texts as several bulk chunks and joins them in order', async () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `text number ${index}`);
    const progress: number[] = [];
    const encoded = await producer.encode(texts, request(), {
      onProgress: ({ done }) => progress.push(done),
    });
    expect(rowsOf(encoded)).toEqual(texts.map(fakeVector));
    expect(encoder.calls.map(({ texts: chunk }) => chunk.length)).toEqual([256, 256, 256, 232]);
    expect(encoder.calls.every(({ lane }) => lane === 'bulk')).toBe(true);
    expect(progress.at(-1)).toBe(1_000);
  });

  it('rejects with texts_failed and keeps the good rows when a text fails alone', async () => {
    const [failed, whole] = await Promise.allSettled([
      producer.encode(['good', 'bad text', 'fine'], request(), {}),
      producer.encode(['a stranger in the same job'], request(), {}),
    ]);
    expect(encoder.calls).toHaveLength(1);
    expect(whole.status).toBe('fulfilled');
    const reason = (failed as PromiseRejectedResult).reason as TextsFailed;
    expect(reason).toBeInstanceOf(TextsFailed);
    expect(reason.failures).toEqual([{ index: 1, code: 'internal', message: 'told to fail' }]);
    expect(reason.encoded.block.firstRows).toEqual(Uint32Array.of(0, 1, 1, 2));
  });

  it('runs a chunk again that failed for a reason that may pass', async () => {
    encoder.failNext(new FarmError('device_lost', 'the thread died'));
    expect(rowsOf(await producer.encode(['again'], request(), {}))).toEqual([fakeVector('again')]);
    expect(encoder.calls).toHaveLength(2);
  });

  it('tells the client at once when a chunk fails for good', async () => {
    encoder.failNext(new FarmError('invalid_argument', 'no such option'));
    await expect(producer.encode(['once'], request(), {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: '[invalid_argument] no such option',
    });
    expect(encoder.calls).toHaveLength(1);
  });

  it('takes a waiting call back on abort, and the stranger in its job still gets its vectors', async () => {
    encoder.hold();
    const abort = new AbortController();
    const both = Promise.allSettled([
      producer.encode(['mine'], request(), { signal: abort.signal }),
      producer.encode(['theirs'], request(), {}),
    ]);
    await encoder.arrived(1);
    abort.abort();
    encoder.release();
    const [mine, theirs] = await both;
    expect(mine).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    expect(theirs.status).toBe('fulfilled');
  });

  it('aborts a running chunk when nobody waits for it any more', async () => {
    encoder.hold();
    const abort = new AbortController();
    const call = producer.encode(['mine'], request(), { signal: abort.signal });
    await encoder.arrived(1);
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    // The encoder is still held: only the abort lets the worker drop the job.
    await eventually(() => worker.heldJobs === 0);
  });

  it('rejects with deadline_exceeded when the worker is too slow, and the worker drops the chunk', async () => {
    encoder.hold();
    await expect(producer.encode(['slow'], request(), { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
    await eventually(() => worker.heldJobs === 0);
  });

  it('says which models there are when the one asked for never was', async () => {
    await expect(producer.encode(['a'], request({ model: 'other' }), {})).rejects.toMatchObject({
      code: 'model_not_found',
      message: expect.stringContaining('registered are: fake'),
    });
  });

  it('rejects dimensions that the model does not have', async () => {
    await expect(producer.encode(['a'], request({ dimensions: 5 }), {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('dimensions is 5, the model "fake" has 4'),
    });
  });

  it('keeps a submitted request for any process: state, counts, vectors in order', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => (index === 300 ? 'bad text' : `text ${index}`));
    const id = await producer.submit(texts, request(), { label: 'reindex' }, {});
    const other = await Producer.open({ redis: redis.url });
    try {
      const encoded = await other.awaitResult(id, {});
      expect(encoded.block.tokens).toHaveLength(600);
      expect(encoded.block.failures).toEqual([{ code: 'internal', message: 'told to fail', texts: [300] }]);
      expect(await other.readRequest(id)).toMatchObject({
        state: 'completed',
        label: 'reindex',
        texts: 600,
        textsDone: 599,
        textsFailed: 1,
        chunks: 3,
        chunksSettled: 3,
      });
    } finally {
      await other.close();
    }
  });

  it('settles a malformed job alone and goes on', async () => {
    const queue = new Queue('fake-interactive', {
      connection: new Redis(redis.url, { maxRetriesPerRequest: null }),
      prefix: '{embedfarm}',
    });
    for (const data of [null, 'x', 17, [], { version: 2 }, { version: 1, texts: [1] }]) {
      await queue.add('encode', data, { attempts: 3 });
    }
    expect(rowsOf(await producer.encode(['still here'], request(), {}))).toEqual([fakeVector('still here')]);
    await eventually(async () => (await queue.getFailedCount()) === 6);
    await queue.obliterate({ force: true });
    await queue.close();
  });

  it('counts texts once, by second and by worker', async () => {
    await producer.encode(['a', 'b', 'bad text'], request(), {}).catch(() => undefined);
    const inspector = await Inspector.open({ redis: redis.url });
    const seconds = [...(await inspector.series(120)), ...(await nextSecond(inspector))];
    const texts = seconds.reduce((total, point) => total + (point.workers[worker.workerId] ?? 0), 0);
    expect(texts).toBe(2);
    expect(await inspector.status()).toMatchObject({
      models: [{ model: 'fake', workers: 1 }],
      workers: [{ workerId: worker.workerId, state: 'running' }],
      devices: [{ name: 'fake/0' }],
      backlog: { interactive: 0, bulk: 0 },
      clients: 1,
    });
    await inspector.close();
  });

  it('leaves nothing in Redis once the client has read its results', async () => {
    await producer.encode(['a', 'b'], request(), {});
    await producer.encode(
      Array.from({ length: 700 }, (_, index) => `t${index}`),
      request(),
      {},
    );
    const client = new Redis(redis.url);
    await eventually(
      async () => (await client.keys('{embedfarm}:result:0-' + producer.clientId + '*')).length === 0,
    );
    expect(await client.xlen(redisKeys().reply(producer.clientId))).toBe(0);
    client.disconnect();
  });

  it('finds a result by the sweep when its announcement was lost', async () => {
    encoder.hold();
    const call = producer.encode(['lost'], request(), {});
    await encoder.arrived(1);
    const client = new Redis(redis.url);
    // Without its stream the reply goes nowhere (NOMKSTREAM), the result is stored all the same.
    await client.unlink(redisKeys().reply(producer.clientId));
    encoder.release();
    expect(rowsOf(await call)).toEqual([fakeVector('lost')]);
    client.disconnect();
  });

  it('enqueues a chunk again when Redis has lost it', async () => {
    await worker.close();
    const call = producer.encode(['gone'], request(), {});
    const client = new Redis(redis.url);
    const wait = '{embedfarm}:fake-interactive:wait';
    await eventually(async () => (await client.llen(wait)) === 1);
    const jobId = encodeJobId(`0-${producer.clientId}-1`, 0);
    await client.unlink(wait, `{embedfarm}:fake-interactive:${jobId}`);
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    expect(rowsOf(await call)).toEqual([fakeVector('gone')]);
    client.disconnect();
  });
});

async function flush(url: string): Promise<void> {
  const client = new Redis(url);
  await client.flushall();
  client.disconnect();
}

/** The last whole second has the counts of now once it is over. */
async function nextSecond(inspector: Inspector) {
  const [before] = await inspector.series(1);
  let points = await inspector.series(1);
  while (points[0]?.second === before?.second) points = await inspector.series(1);
  return points;
}

function rowsOf({ block }: EncodedTexts): number[][] {
  const values = Array.from(block.values);
  return Array.from({ length: values.length / block.dimensions }, (_, row) =>
    values.slice(row * block.dimensions, (row + 1) * block.dimensions),
  );
}
