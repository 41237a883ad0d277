import { encodeRequestSchema, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from './inspect/inspector.ts';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

const request = (options: object = {}) => encodeRequestSchema.parse(options);

describe('when something fails', () => {
  let redis: TestRedis;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
    await redis.close();
  });

  async function openWorker(
    encoder: FakeEncoder,
    fingerprint = 'fake-1',
    options: object = {},
  ): Promise<FarmWorker> {
    const worker = await FarmWorker.open(fakeRegistration('fake', fingerprint), encoder, {
      redis: redis.url,
      ...options,
    });
    open.push(worker);
    return worker;
  }

  async function openProducer(): Promise<Producer> {
    const producer = await Producer.open({ redis: redis.url });
    open.push(producer);
    return producer;
  }

  it('every call in flight gets its vectors after Redis was killed and came back', async () => {
    const encoder = new FakeEncoder();
    await openWorker(encoder);
    const producer = await openProducer();
    encoder.hold();
    const texts = Array.from({ length: 64 }, (_, index) => `in flight ${index}`);
    // Lanes and options keep the calls apart, so that there are several jobs.
    const calls = texts.map((text, index) =>
      producer.encode(
        [text],
        request({ dimensions: 1 + (index % 4), lane: index % 2 ? 'bulk' : 'interactive' }),
        {},
      ),
    );
    await encoder.arrived(4);
    await redis.kill();
    encoder.release();
    await redis.restart();
    const encoded = await Promise.all(calls);
    for (const [index, { block }] of encoded.entries()) {
      expect(Array.from(block.values)).toEqual(fakeVector(texts[index] ?? '').slice(0, 1 + (index % 4)));
    }
  });

  it('a call while Redis is down rejects with redis_unavailable at its deadline, and works again after', async () => {
    await openWorker(new FakeEncoder());
    const producer = await openProducer();
    await producer.encode(['before'], request(), {});
    await redis.kill();
    await expect(producer.encode(['during'], request(), { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'redis_unavailable',
    });
    await redis.restart();
    const { block } = await producer.encode(['after'], request(), {});
    expect(Array.from(block.values)).toEqual(fakeVector('after'));
  });

  it('a producer without a Redis says so at its deadline, and without its password', async () => {
    const opening = Producer.open({ redis: 'redis://user:secret@127.0.0.1:1', timeoutMs: 200 });
    await expect(opening).rejects.toMatchObject({ code: 'redis_unavailable' });
    await expect(opening).rejects.not.toThrow('secret');
  });

  it.each(['redis://:::', 'redis://user:secret@localhost:99999'])('%s is no URL of a Redis', async (url) => {
    const opening = Producer.open({ redis: url });
    await expect(opening).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(opening).rejects.not.toThrow('secret');
  });

  it('a worker told to stop before its Redis is up is cancelled', async () => {
    await redis.kill();
    const stop = new AbortController();
    const opening = FarmWorker.open(
      fakeRegistration(),
      new FakeEncoder(),
      { redis: redis.url },
      { signal: stop.signal },
    );
    stop.abort();
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('a worker started before its Redis comes up with it', async () => {
    await redis.kill();
    const opening = openWorker(new FakeEncoder());
    await redis.restart();
    expect((await opening).state).toBe('running');
  });

  it('a known model without a worker is no_worker at the deadline, an unknown one model_not_found at once', async () => {
    const worker = await openWorker(new FakeEncoder());
    await worker.close();
    const producer = await openProducer();
    await expect(producer.encode(['a'], request(), { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'no_worker',
    });
    await expect(producer.encode(['a'], request({ model: 'never' }), {})).rejects.toMatchObject({
      code: 'model_not_found',
    });
    const client = new Redis(redis.url);
    // The call that gave up took its job along.
    await eventually(async () => (await client.llen('{embedfarm}:fake-interactive:wait')) === 0);
    client.disconnect();
  });

  it('a submitted request waits for the worker that comes later', async () => {
    const first = await openWorker(new FakeEncoder());
    await first.close();
    const producer = await openProducer();
    const id = await producer.submit(['later'], request(), {}, {});
    expect(await producer.readRequest(id)).toMatchObject({ state: 'queued', chunksSettled: 0 });
    await openWorker(new FakeEncoder());
    const { block } = await producer.awaitResult(id, {});
    expect(Array.from(block.values)).toEqual(fakeVector('later'));
  });

  it('a worker with other weights under a live name refuses to start; when the name is free it takes it', async () => {
    const worker = await openWorker(new FakeEncoder());
    await expect(openWorker(new FakeEncoder(), 'fake-2')).rejects.toMatchObject({ code: 'model_changed' });
    await worker.close();
    await openWorker(new FakeEncoder(), 'fake-2');
  });

  it('a request pinned to weights that are gone fails with model_changed', async () => {
    const worker = await openWorker(new FakeEncoder());
    await worker.close();
    const producer = await openProducer();
    const call = producer.encode(['old weights'], request(), {});
    const outcome = call.catch((error: unknown) => error);
    const client = new Redis(redis.url);
    await eventually(async () => (await client.llen('{embedfarm}:fake-interactive:wait')) === 1);
    client.disconnect();
    await openWorker(new FakeEncoder(), 'fake-2');
    expect(await outcome).toMatchObject({ code: 'model_changed' });
  });

  it('a worker that was silent, and whose name was taken, leaves the jobs to the one that took it', async () => {
    const silent = new FakeEncoder();
    const { workerId } = await openWorker(silent, 'fake-1', { heartbeatMs: 10_000 });
    const client = new Redis(redis.url);
    await client.zadd(redisKeys().modelWorkers('fake'), 1, workerId);
    client.disconnect();
    await openWorker(new FakeEncoder(), 'fake-2');
    const producer = await openProducer();
    const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`);
    for (const text of texts) {
      const { block } = await producer.encode([text], request(), {});
      expect(Array.from(block.values)).toEqual(fakeVector(text));
    }
    expect(silent.calls).toEqual([]);
  });

  it('a worker that closes finishes the chunk it has begun, and another does the rest: nothing runs twice', async () => {
    const first = new FakeEncoder();
    const leaving = await openWorker(first, 'fake-1', { interactiveWorkers: 1, interactiveConcurrency: 1 });
    const producer = await openProducer();
    first.hold();
    const begun = producer.encode(['begun'], request({ lane: 'interactive' }), {});
    await first.arrived(1);
    const waiting = producer.encode(['waiting'], request({ dimensions: 2 }), {});
    const closing = leaving.close();
    const second = new FakeEncoder();
    await openWorker(second);
    expect(Array.from((await waiting).block.values)).toEqual(fakeVector('waiting').slice(0, 2));
    first.release();
    expect(Array.from((await begun).block.values)).toEqual(fakeVector('begun'));
    await closing;
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it('a worker whose grace is over gives its begun chunks back', async () => {
    const first = new FakeEncoder();
    const leaving = await openWorker(first);
    const producer = await openProducer();
    first.hold();
    const call = producer.encode(['too slow'], request(), {});
    await first.arrived(1);
    await leaving.close({ graceMs: 0 });
    const second = new FakeEncoder();
    await openWorker(second);
    expect(Array.from((await call).block.values)).toEqual(fakeVector('too slow'));
  });

  it('a worker with enough work in its line pulls no more until the line is shorter', async () => {
    const encoder = new FakeEncoder();
    await openWorker(encoder, 'fake-1', { interactiveWorkers: 1 });
    const producer = await openProducer();
    encoder.endBatch(10_000);
    const calls = [1, 2, 3, 4].map((dimensions) => producer.encode(['wait'], request({ dimensions }), {}));
    const client = new Redis(redis.url);
    // The read that was under way when the line filled may still bring one.
    await eventually(async () => (await client.llen('{embedfarm}:fake-interactive:wait')) >= 3);
    for (let round = 0; round < 50; round += 1) await client.ping();
    expect(await client.llen('{embedfarm}:fake-interactive:wait')).toBeGreaterThanOrEqual(3);
    encoder.endBatch(0);
    await Promise.all(calls);
    expect(encoder.calls).toHaveLength(4);
    client.disconnect();
  });

  it('garbage under the keys of the farm harms nobody', async () => {
    const encoder = new FakeEncoder();
    const worker = await openWorker(encoder);
    const producer = await openProducer();
    const keys = redisKeys();
    const client = new Redis(redis.url);
    await client.xadd(keys.reply(producer.clientId), '*', 'x', 'y');
    await client.xadd(
      keys.reply(producer.clientId),
      '*',
      'job',
      'no-such',
      'status',
      'done',
      'block',
      'garbage',
    );
    await client.set(keys.worker(worker.workerId), '<html>');
    await client.hset(keys.statsSecond(Math.floor(Date.now() / 1000) - 1), 'texts', 'many', 'worker:x', '-');
    expect(Array.from((await producer.encode(['fine'], request(), {})).block.values)).toEqual(
      fakeVector('fine'),
    );
    const inspector = await Inspector.open({ redis: redis.url });
    open.push(inspector);
    expect((await inspector.status()).workers).toEqual([]);
    expect(await inspector.series(60)).toHaveLength(60);
    client.disconnect();
  });

  it('a result that cannot be read keeps no other call from its own', async () => {
    const encoder = new FakeEncoder();
    await openWorker(encoder);
    const producer = await openProducer();
    const keys = redisKeys();
    const client = new Redis(redis.url);
    encoder.hold();
    const spoilt = producer.encode(['spoilt'], request(), {}).catch((error: unknown) => error);
    await encoder.arrived(1);
    const fine = producer.encode(['fine'], request({ dimensions: 2 }), {});
    await encoder.arrived(2);
    // Without the announcements it is the sweep that looks.
    await client.del(keys.reply(producer.clientId));
    encoder.release();
    await eventually(async () => (await client.keys(keys.result('*'))).length === 2);
    const [first = ''] = (await client.keys(keys.result('*'))).toSorted();
    await client.multi().del(first).lpush(first, 'x').exec();
    expect(Array.from((await fine).block.values)).toEqual(fakeVector('fine').slice(0, 2));
    expect(await spoilt).toMatchObject({ code: 'internal' });
    client.disconnect();
  }, 20_000);

  it('a result overwritten by hand is an error of that call alone', async () => {
    const encoder = new FakeEncoder();
    await openWorker(encoder);
    const producer = await openProducer();
    const id = await producer.submit(['spoilt'], request(), {}, {});
    await producer.awaitResult(id, {});
    const client = new Redis(redis.url);
    await client.set(redisKeys().result(`${id}.0`), 'garbage', 'PX', 60_000);
    await expect(producer.awaitResult(id, {})).rejects.toMatchObject({ code: 'internal' });
    await client.unlink(redisKeys().result(`${id}.0`));
    await expect(producer.awaitResult(id, {})).rejects.toMatchObject({ code: 'result_expired' });
    client.disconnect();
  });
});
