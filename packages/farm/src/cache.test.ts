import {
  encodeRequestSchema,
  redisKeys,
  type EncodeRequest,
  type EncodeText,
  type ModelRegistration,
} from '@embedfarm/contract';
import { FakeEncoder, fakeRegistration, fakeTokens, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cacheHasher } from './cache/cache-key.ts';
import { LEASE_MARK } from './cache/cache-lease.ts';
import { Inspector } from './inspect/inspector.ts';
import type { EncodedTexts, TextsFailed } from './producer/encoded-texts.ts';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

checkOpenHandles();

const request = (options: object = {}): EncodeRequest => encodeRequestSchema.parse(options);
const cached = (options: object = {}): EncodeRequest => request({ cache: true, ...options });
const keys = redisKeys();

describe('the cache', () => {
  let redis: TestRedis;
  let client: Redis;
  let producer: Producer;
  let encoder: FakeEncoder;
  let workers: FarmWorker[];

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });
  beforeEach(async () => {
    workers = [];
    encoder = new FakeEncoder();
    await openWorker(fakeRegistration(), encoder);
    producer = await Producer.open({ redis: redis.url });
  });
  afterEach(async () => {
    await producer.close();
    for (const worker of workers) await worker.close();
    const kept = (await keysWithoutTtl(redis.url)).filter((key) => !/:fake-(interactive|bulk):/.test(key));
    const entries = await client.keys(keys.cache('*'));
    const leases = entries.length === 0 ? [] : (await client.mget(...entries)).filter(isLease);
    await client.flushall();
    expect(kept).toEqual([]);
    expect(leases).toEqual([]);
  });

  async function openWorker(registration: ModelRegistration, engine: FakeEncoder): Promise<void> {
    workers.push(await FarmWorker.open(registration, engine, { redis: redis.url }));
  }

  const encodedTexts = (): EncodeText[] => encoder.calls.flatMap(({ texts }) => texts);
  const entryOf = (text: EncodeText): string =>
    keys.cache(cacheHasher(fakeRegistration(), { dtype: 'float32', truncate: 'end' })(text));

  it('answers a text that was encoded before without any worker, with the same bits and receipts', async () => {
    const first = await producer.encode(['one', 'two'], cached(), {});
    for (const worker of workers) await worker.close();
    const again = await producer.encode(['two', 'one', 'two'], cached(), {});
    expect(rowsOf(again)).toEqual(['two', 'one', 'two'].map(fakeVector));
    expect(again.model).toBe(first.model);
    expect(again.block.tokens).toEqual(Uint32Array.of(5, 5, 5));
    const { totalMs, ...parts } = again.timing;
    expect(parts).toEqual({ queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 });
    expect(totalMs).toBeGreaterThan(0);
    expect(await client.keys('{embedfarm}:fake-*:0-*')).toEqual([]);
  });

  it('sends only what it does not have, and gives every text its row', async () => {
    await producer.encode(['b', 'd', 'e'], cached(), {});
    const progress: number[] = [];
    const encoded = await producer.encode(['a', 'b', 'c', 'd', 'e', 'f'], cached(), {
      onProgress: ({ done }) => progress.push(done),
    });
    expect(rowsOf(encoded)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map(fakeVector));
    expect(encoder.calls[1]?.texts).toEqual(['a', 'c', 'f']);
    expect(progress.at(-1)).toBe(6);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  it('does so over the chunks of a long call', async () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `text ${index}`);
    const every3rd = texts.filter((_, index) => index % 3 === 0);
    await producer.encode(every3rd, cached(), {});
    const { length: before } = encodedTexts();
    const encoded = await producer.encode(texts, cached(), {});
    expect(rowsOf(encoded)).toEqual(texts.map(fakeVector));
    expect(encodedTexts().length - before).toBe(texts.length - every3rd.length);
    // What is left travels in full chunks.
    expect(encoder.calls.slice(-3).map((call) => call.texts.length)).toEqual([256, 256, 154]);
  });

  it('keeps pairs and lists of tokens, with their tokens', async () => {
    const pairs: EncodeText[] = [['a', 'b'], 'a b', ['a b', '']];
    const lists: EncodeText[] = [['a', 'b'], [['a'], ['b']], []];
    const wishes = { returnTokens: true };
    await producer.encode(pairs, cached(wishes), {});
    await producer.encode(lists, cached({ ...wishes, tokens: true }), {});
    expect(encoder.calls).toHaveLength(2);
    const again = await producer.encode(pairs.toReversed(), cached(wishes), {});
    const listsAgain = await producer.encode(lists.toReversed(), cached({ ...wishes, tokens: true }), {});
    expect(rowsOf(again)).toEqual(pairs.toReversed().map(fakeVector));
    expect(again.block.tokenLists).toEqual(pairs.toReversed().map(fakeTokens));
    expect(listsAgain.block.tokenLists).toEqual(lists.toReversed().map(fakeTokens));
    expect(encoder.calls).toHaveLength(2);
  });

  it('never keeps a failure, and leaves it at its index', async () => {
    for (const round of [1, 2]) {
      const call = producer.encode(['good', 'bad text', `fine ${round}`, 'bad text'], cached(), {});
      const error: unknown = await call.catch((thrown: unknown) => thrown);
      const { failures, encoded } = error as TextsFailed;
      expect(failures.map(({ index }) => index)).toEqual([1, 3]);
      expect(rowsOf(encoded)).toEqual(['good', `fine ${round}`].map(fakeVector));
      expect(encoder.calls[round - 1]?.texts).toContain('bad text');
    }
    expect(encodedTexts().filter((text) => text === 'good')).toHaveLength(1);
  });

  it('encodes a text once that stands in a chunk twice', async () => {
    const encoded = await producer.encode(['a', 'b', 'a', 'a'], cached(), {});
    expect(rowsOf(encoded)).toEqual(['a', 'b', 'a', 'a'].map(fakeVector));
    expect(encodedTexts()).toEqual(['a', 'b']);
  });

  it('puts calls of one tick into one job, by what they say of the cache', async () => {
    const calls = [cached(), cached(), request(), cached({ cache: { ttlMs: 5_000 } })];
    await Promise.all(calls.map((one, index) => producer.encode([`text ${index}`], one, {})));
    const chunks = encoder.calls.map(({ texts }) => texts.join()).toSorted();
    expect(chunks).toEqual(['text 0,text 1', 'text 2', 'text 3']);
  });

  it('shares nothing between options, nor between fingerprints', async () => {
    const wishes = [
      {},
      { dimensions: 2 },
      { dtype: 'float16' },
      { truncate: 'start' },
      { returnTokens: true },
    ];
    for (const wish of wishes) await producer.encode(['same'], cached(wish), {});
    await producer.encode(['same'], cached({ dimensions: 4 }), {});
    expect(encodedTexts()).toHaveLength(wishes.length);
    for (const worker of workers) await worker.close();
    await openWorker(fakeRegistration('fake', 'fake-2'), encoder);
    const other = await Producer.open({ redis: redis.url });
    await other.encode(['same'], cached(), {});
    await other.close();
    expect(encodedTexts()).toHaveLength(wishes.length + 1);
  });

  it('is neither read nor written by a call that does not ask for it', async () => {
    await producer.encode(['a'], request(), {});
    await producer.encode(['a'], request({ cache: false }), {});
    expect(await client.exists(entryOf('a'))).toBe(0);
    await producer.encode(['a'], cached(), {});
    await producer.encode(['a'], request(), {});
    expect(encodedTexts()).toEqual(['a', 'a', 'a', 'a']);
  });

  it('keeps an entry for a day or the time that was asked for, and encodes again after', async () => {
    await producer.encode(['day'], cached(), {});
    await producer.encode(['short'], cached({ cache: { ttlMs: 5_000 } }), {});
    expect(await client.pttl(entryOf('day'))).toBeGreaterThan(86_000_000);
    expect(await client.pttl(entryOf('short'))).toBeLessThanOrEqual(5_000);
    // As at the end of its time.
    await client.pexpire(entryOf('short'), 0);
    await producer.encode(['short'], cached({ cache: { ttlMs: 5_000 } }), {});
    expect(encodedTexts()).toEqual(['day', 'short', 'short']);
  });

  it('answers the chunks of a submitted request, and stores them as results', async () => {
    const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
    await producer.encode(texts.slice(0, 200), cached(), {});
    for (let round = 0; round < 2; round += 1) {
      const { requestId } = await producer.requests.submit(texts, cached(), {}, {});
      expect(rowsOf(await producer.requests.result(requestId, {}, {}))).toEqual(texts.map(fakeVector));
    }
    expect(encodedTexts()).toHaveLength(300);
  });

  it('takes a broken entry for none, and puts a whole one in its place', async () => {
    const good = await wholeEntry('other options', { dimensions: 2 });
    const broken = ['', 'garbage', good.subarray(0, 60), good];
    for (const [round, bytes] of broken.entries()) {
      const text = `broken ${round}`;
      await client.set(entryOf(text), bytes, 'PX', 60_000);
      // Once through the producer, once through a worker alone.
      expect(rowsOf(await producer.encode([text], cached(), {}))).toEqual([fakeVector(text)]);
      expect(await wholeEntry(text)).not.toEqual(bytes);
      await client.set(entryOf(text), bytes, 'PX', 60_000);
      const { requestId } = await producer.requests.submit([text], cached(), {}, {});
      expect(rowsOf(await producer.requests.result(requestId, {}, {}))).toEqual([fakeVector(text)]);
      expect(rowsOf(await producer.encode([text], cached(), {}))).toEqual([fakeVector(text)]);
      expect(encodedTexts().filter((one) => one === text)).toHaveLength(2);
    }
    await client.lpush(entryOf('a list'), 'x');
    expect(rowsOf(await producer.encode(['a list'], cached(), {}))).toEqual([fakeVector('a list')]);
    expect(rowsOf(await producer.encode(['a list'], cached(), {}))).toEqual([fakeVector('a list')]);
    expect(encodedTexts().filter((one) => one === 'a list')).toHaveLength(1);
  });

  it('keeps nothing new once Redis has less than 60 % of its memory free, and answers all the same', async () => {
    await producer.encode(['before'], cached(), {});
    await client.config('SET', 'maxmemory', String((await usedBytes()) * 2));
    try {
      // A worker that has not looked yet.
      for (const worker of workers) await worker.close();
      await openWorker(fakeRegistration(), encoder);
      for (const text of ['before', 'new', 'new']) {
        expect(rowsOf(await producer.encode([text], cached(), {}))).toEqual([fakeVector(text)]);
      }
      expect(encodedTexts()).toEqual(['before', 'new', 'new']);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
  });

  it('tells of the last minute what was asked of it, and what it had', async () => {
    await producer.encode(['a', 'b', 'a'], cached(), {});
    await producer.encode(['a', 'c'], cached(), {});
    await producer.encode(['a'], request(), {});
    const inspector = await Inspector.open({ redis: redis.url });
    expect((await inspector.status()).cache).toEqual({ lookups: 5, hits: 2 });
    await inspector.close();
  });

  async function wholeEntry(text: string, wishes: object = {}): Promise<Buffer> {
    await producer.encode([text], cached(wishes), {});
    const options = { dtype: 'float32', truncate: 'end', ...wishes } as const;
    return (
      (await client.getBuffer(keys.cache(cacheHasher(fakeRegistration(), options)(text)))) ?? Buffer.alloc(0)
    );
  }

  async function usedBytes(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  }
});

const isLease = (value: string | null): boolean => value?.startsWith(LEASE_MARK) === true;

function rowsOf({ block }: EncodedTexts): number[][] {
  const values = Array.from(block.values);
  return Array.from({ length: values.length / block.dimensions }, (_, row) =>
    values.slice(row * block.dimensions, (row + 1) * block.dimensions),
  );
}
