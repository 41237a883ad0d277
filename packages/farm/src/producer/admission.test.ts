import { encodeRequestSchema, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAdmission } from '../redis/admission.ts';
import { setFarmLimits } from '../redis/farm-limits.ts';
import { FarmWorker } from '../worker/farm-worker.ts';
import { Producer } from './producer.ts';

const request = encodeRequestSchema.parse({});
const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

describe('a farm that may hold 1,000 texts', () => {
  let redis: TestRedis;
  let client: Redis;
  let encoder: FakeEncoder;
  let worker: FarmWorker;
  const producers: Producer[] = [];

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });
  beforeEach(async () => {
    encoder = new FakeEncoder();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    encoder.hold();
    // Before a producer opens: it would keep some of the default limit to spare until its next heartbeat.
    await setFarmLimits(client, redisKeys(), { texts: 1_000 });
  });
  afterEach(async () => {
    encoder.release();
    for (const producer of producers.splice(0)) await producer.close();
    await worker.close();
    await client.config('SET', 'maxmemory', '0');
    await client.flushall();
  });

  async function openProducer(): Promise<Producer> {
    const producer = await Producer.open({ redis: redis.url });
    producers.push(producer);
    return producer;
  }

  /** Both fill it together, to the last text. */
  async function fill(one: Producer, other: Producer): Promise<Promise<unknown>[]> {
    const calls = [
      ...[250, 250].map((count) => one.encode(texts(count), request, {})),
      ...[250, 250].map((count) => other.encode(texts(count), request, {})),
    ];
    await eventually(async () => (await readAdmission(client, redisKeys())).texts === 1_000);
    return calls;
  }

  it('lets two producers fill it, then rejects with overloaded and the time to come back', async () => {
    const [one, other] = [await openProducer(), await openProducer()];
    const calls = await fill(one, other);
    for (const producer of [one, other]) {
      await expect(producer.encode(['more'], request, {})).rejects.toMatchObject({
        code: 'overloaded',
        // Nothing has been settled yet.
        retryAfterMs: 60_000,
        message: expect.stringContaining('holds 1000 texts, with 1 more the limit of 1000 is passed'),
      });
    }
    encoder.release();
    await Promise.all(calls);
    await one.encode(['after'], request, {});
  });

  it('says to come back as soon as the farm, at its pace, has room', async () => {
    const [one, other] = [await openProducer(), await openProducer()];
    encoder.release();
    for (let call = 0; call < 4; call += 1) await one.encode(texts(250), request, {});
    encoder.hold();
    const calls = await fill(one, other);
    const refusal: unknown = await one.encode(texts(100), request, {}).catch((thrown: unknown) => thrown);
    // 1,000 texts in the last 10 s, and 100 are too many.
    expect(refusal).toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
    encoder.release();
    await Promise.all(calls);
  });

  it('lets a call in that waits, once others have what they asked for', async () => {
    const [one, other] = [await openProducer(), await openProducer()];
    const calls = await fill(one, other);
    let isIn = false;
    const waiting = other.encode(texts(200), request, { whenOverloaded: 'wait' }).then((encoded) => {
      isIn = true;
      return encoded;
    });
    // Refused after it got in line: the one that waits was asked for with it.
    await expect(other.encode(['impatient'], request, {})).rejects.toMatchObject({ code: 'overloaded' });
    expect(isIn).toBe(false);
    encoder.release();
    await Promise.all(calls);
    expect((await waiting).block.tokens).toHaveLength(200);
  });

  it('gives room that one client leaves to another that waits', async () => {
    const [one, other] = [await openProducer(), await openProducer()];
    const abort = new AbortController();
    const held = [250, 250, 250, 250].map((count) =>
      one.encode(texts(count), request, { signal: abort.signal }),
    );
    await eventually(async () => (await readAdmission(client, redisKeys())).texts === 1_000);
    const waiting = other.encode(texts(250), request, { whenOverloaded: 'wait' });
    await expect(other.encode(['impatient'], request, {})).rejects.toMatchObject({ code: 'overloaded' });
    abort.abort();
    await Promise.allSettled(held);
    encoder.release();
    expect((await waiting).block.tokens).toHaveLength(250);
  });

  it('ends the wait with overloaded at the deadline, and with cancelled on abort', async () => {
    const [one, other] = [await openProducer(), await openProducer()];
    const calls = await fill(one, other);
    const abort = new AbortController();
    const aborted = one.encode(['aborted'], request, { whenOverloaded: 'wait', signal: abort.signal });
    const late = other.encode(['late'], request, { whenOverloaded: 'wait', timeoutMs: 300 });
    const lateBulk = one.encode(texts(600), request, { whenOverloaded: 'wait', timeoutMs: 300 });
    const ends = Promise.allSettled([aborted, late, lateBulk]);
    await expect(late).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 60_000 });
    await expect(lateBulk).rejects.toMatchObject({ code: 'overloaded' });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
    await ends;
    encoder.release();
    await Promise.all(calls);
    // None of the three came to the worker.
    expect(encoder.calls.flatMap((call) => call.texts)).toHaveLength(1_000);
  });

  it('takes a call larger than the limit, as no more than its window is held at a time', async () => {
    const producer = await openProducer();
    encoder.release();
    const encoded = await producer.encode(texts(5_000), request, {});
    expect(encoded.block.tokens).toHaveLength(5_000);
    expect(encoder.calls.every((call) => call.texts.length <= 256)).toBe(true);
  });

  it('rejects a long call at once when not even its first chunk has room', async () => {
    const [one, other] = [await openProducer(), await openProducer()];
    const calls = await fill(one, other);
    await expect(one.encode(texts(5_000), request, {})).rejects.toMatchObject({ code: 'overloaded' });
    encoder.release();
    await Promise.all(calls);
  });

  it('refuses as an invalid argument what would not fit an empty farm', async () => {
    await client.hset(redisKeys().limits, 'maxTexts', 10, 'maxBytes', 1_000);
    const producer = await openProducer();
    await expect(producer.encode(texts(11), request, {})).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('11 texts at once, limit is 10'),
    });
    await expect(
      producer.encode(['x'.repeat(2_000)], request, { whenOverloaded: 'wait' }),
    ).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('limit is 1000') });
  });

  it('names a broken limit, and keeps the others as they are', async () => {
    const producer = await openProducer();
    await expect(producer.limits.set({ texts: 255 })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('texts'),
    });
    await producer.limits.set({ bytes: 64 * 1024 * 1024, memoryShare: 0.5 });
    expect(await producer.limits.read()).toEqual({ texts: 1_000, bytes: 64 * 1024 * 1024, memoryShare: 0.5 });
    await client.hset(redisKeys().limits, 'memoryShare', 'half');
    expect(await producer.limits.read()).toMatchObject({ memoryShare: 0.6 });
    await producer.limits.set({ bytes: null });
    expect(await producer.limits.read()).toMatchObject({ bytes: null });
  });

  it('takes nothing more above 60 % of the memory, while workers go on, and takes again below', async () => {
    const producer = await openProducer();
    const queued = producer.encode(texts(600), request, {});
    await encoder.arrived(1);
    await client.set('others', Buffer.alloc(32 * 1024 * 1024));
    await client.config('SET', 'maxmemory', `${48 * 1024 * 1024}`);
    // Who opens now hears of it at once, the other with its heartbeat.
    const newcomer = await openProducer();
    await expect(newcomer.encode(['more'], request, {})).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: 60_000,
      message: expect.stringContaining('Redis uses'),
    });
    await eventually(async () => {
      const call = producer.encode(['more'], request, { signal: AbortSignal.timeout(50) });
      const thrown: unknown = await call.catch((error: unknown) => error);
      return (thrown as { code?: string }).code === 'overloaded';
    });
    const waiting = newcomer.encode(['waits'], request, { whenOverloaded: 'wait' });
    encoder.release();
    expect((await queued).block.tokens).toHaveLength(600);
    await client.unlink('others');
    await waiting;
    await newcomer.encode(['again'], request, {});
  });

  it('makes a lease again that Redis has lost', async () => {
    const producer = await openProducer();
    const call = producer.encode(texts(100), request, {});
    await encoder.arrived(1);
    await client.unlink(redisKeys().admission);
    await redis.restart();
    await eventually(async () => (await readAdmission(client, redisKeys())).texts === 100);
    encoder.release();
    await call;
    await eventually(async () => (await readAdmission(client, redisKeys())).texts === 0);
    expect((await producer.encode(['after'], request, {})).block.tokens).toHaveLength(1);
  });
});
