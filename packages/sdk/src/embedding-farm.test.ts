import { FarmError, fromFloat16, toFloat16 } from '@embedfarm/contract';
import { FarmWorker } from '@embedfarm/farm/worker';
import { FakeEncoder, fakeRegistration, fakeTokens, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Inspector } from '@embedfarm/farm/inspect';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddingFarm } from './embedding-farm.ts';
import { TextsFailedError } from './texts-failed-error.ts';

describe('EmbeddingFarm', () => {
  let redis: TestRedis;
  let worker: FarmWorker;
  let encoder: FakeEncoder;
  let farm: EmbeddingFarm;

  beforeAll(async () => {
    redis = await openTestRedis();
    encoder = new FakeEncoder();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
  });
  afterAll(async () => {
    await worker.close();
    await redis.close();
  });
  beforeEach(async () => {
    farm = await EmbeddingFarm.connect({ redis: redis.url });
  });
  afterEach(async () => {
    encoder.release();
    await farm.close();
  });

  it('gives one row a text, by index, by iteration and as plain numbers', async () => {
    const vectors = await farm.encode(['one', '', 'three']);
    const expected = ['one', '', 'three'].map(fakeVector);
    expect([vectors.rows, vectors.dimensions, vectors.model]).toEqual([3, 4, 'fake']);
    expect(Array.from(vectors.at(2))).toEqual(expected[2]);
    expect(Array.from(vectors, (vector) => Array.from(vector))).toEqual(expected);
    expect(vectors.toArrays()).toEqual(expected);
    expect(vectors.receipts).toEqual([5, 2, 7].map((tokens) => ({ tokens, truncated: false })));
    expect(Object.keys(vectors.timing)).toEqual([
      'queueMs',
      'tokenizeMs',
      'batchWaitMs',
      'deviceMs',
      'totalMs',
    ]);
    expect(() => vectors.at(3)).toThrow('[invalid_argument] there is no text 3, the last one is 2');
  });

  it('tells the farm what it is called', async () => {
    const named = await EmbeddingFarm.connect({ redis: redis.url, name: 'the web app' });
    const inspector = await Inspector.open({ redis: redis.url });
    const clients = await inspector.clients(10);
    expect(clients.find(({ clientId }) => clientId === named.clientId)).toMatchObject({
      name: 'the web app',
    });
    await inspector.close();
    await named.close();
  });

  it('keeps weights of tenants for all, and refuses what is none', async () => {
    await farm.setWeight('search', 3);
    const other = await EmbeddingFarm.connect({ redis: redis.url });
    try {
      expect(await other.weights()).toEqual({ search: 3 });
      await other.removeWeight('search');
    } finally {
      await other.close();
    }
    expect(await farm.weights()).toEqual({});
    await expect(farm.setWeight('search', 0)).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(other.weights()).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('encodes and submits the list as it was at the call, whatever becomes of it', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    const expected = texts.map(fakeVector);
    const encoding = farm.encode(texts);
    const submitting = farm.submit(texts);
    texts.fill('another');
    texts.length = 10;
    expect((await encoding).toArrays()).toEqual(expected);
    expect((await (await submitting).result()).toArrays()).toEqual(expected);
  });

  it('rejects with the good rows and the failures when some texts fail', async () => {
    const error: unknown = await farm.encode(['good', 'bad text']).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TextsFailedError);
    const { code, failures, embeddings } = error as TextsFailedError;
    expect(code).toBe('texts_failed');
    expect(failures).toEqual([{ index: 1, code: 'internal', message: 'told to fail' }]);
    expect(Array.from(embeddings.at(0))).toEqual(fakeVector('good'));
    expect([embeddings.has(0), embeddings.has(1)]).toEqual([true, false]);
    expect(() => embeddings.at(1)).toThrow('[internal] told to fail');
  });

  it('gives the dtype asked for, over several chunks and from a submitted request', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    const halves = await farm.encode(texts, { dtype: 'float16', dimensions: 3 });
    const [length, sum] = fakeVector('text 599');
    const expected = fromFloat16(toFloat16(Float32Array.of(length ?? 0, sum ?? 0, 1)));
    expect([halves.dtype, halves.dimensions]).toEqual(['float16', 3]);
    expect(halves.at(599)).toEqual(expected);

    const bits = await (await farm.submit(texts, { dtype: 'binary' })).result();
    if (bits.dtype !== 'binary') throw new Error(`came as ${bits.dtype}`);
    const bytes: Uint8Array = bits.at(599);
    expect([...bytes]).toEqual([0b1111_0000]);
  });

  it('sends pairs, and lists of tokens as they were at the call', async () => {
    const pairs = [['one', 'two'], 'three'] as [[string, string], string];
    const encoding = farm.encode(pairs);
    pairs[0][1] = 'another';
    const list = [
      ['t', 'o', 'k'],
      [['t'], ['o']],
    ] as const;
    expect((await encoding).toArrays()).toEqual([['one', 'two'], 'three'].map(fakeVector));
    expect((await farm.encode(list, { tokens: true })).toArrays()).toEqual(list.map(fakeVector));
    expect((await (await farm.submit(list, { tokens: true })).result()).toArrays()).toEqual(
      list.map(fakeVector),
    );
  });

  it('gives the tokens of every text, over several chunks, where they are asked for', async () => {
    const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
    const { tokens } = await farm.encode(texts, { returnTokens: true });
    expect(tokens).toEqual(texts.map(fakeTokens));
    expect((await farm.encode(['a'])).tokens).toBeUndefined();
  });

  it('answers from the cache where it is asked to, also what a submitted request wants', async () => {
    const texts = ['kept', ['a', 'pair']] as [string, [string, string]];
    const first = await farm.encode(texts, { cache: true });
    const { length: chunks } = encoder.calls;
    const again = await farm.encode(texts, { cache: { ttlMs: 60_000 } });
    expect(again.toArrays()).toEqual(first.toArrays());
    expect(again.receipts).toEqual(first.receipts);
    expect(again.timing.deviceMs).toBe(0);
    const result = await (await farm.submit(texts, { cache: true })).result();
    expect(result.toArrays()).toEqual(first.toArrays());
    expect(encoder.calls).toHaveLength(chunks);
    expect((await farm.status()).cache).toEqual({ lookups: 6, hits: 4 });
  });

  it('submits, and reads state and result by the id from another connection', async () => {
    const { id } = await farm.submit(['a', 'bad text', 'c'], { label: 'reindex' });
    const other = await EmbeddingFarm.connect({ redis: redis.url });
    const vectors = await other.request(id).result();
    expect(vectors.failures).toEqual([{ index: 1, code: 'internal', message: 'told to fail' }]);
    expect(Array.from(vectors.at(2))).toEqual(fakeVector('c'));
    expect(await other.request(id).status()).toMatchObject({
      id,
      state: 'completed',
      label: 'reindex',
      texts: 3,
      done: 2,
      failed: 1,
      etaMs: 0,
    });
    // Read again: the result is kept for its time.
    expect((await farm.request(id).result()).rows).toBe(3);
    await other.close();
  });

  it('encodes 100,000 texts in one call', async () => {
    const texts = Array.from({ length: 100_000 }, (_, index) => `text ${index}`);
    const vectors = await farm.encode(texts);
    expect(vectors.rows).toBe(100_000);
    for (const index of [0, 255, 256, 99_999]) {
      expect(Array.from(vectors.at(index))).toEqual(fakeVector(`text ${index}`));
    }
  });

  it.each([
    ['an empty list', [], {}, 'texts is empty, at least 1 text is needed'],
    ['no list', 'text', {}, 'texts must be a list of strings, got string'],
    ['a value that is no text', ['a', null], {}, 'texts[1] must be a string or a pair of strings, got null'],
    [
      'a pair of three',
      [['a', 'b', 'c']],
      {},
      'texts[0] must be a string or a pair of strings, got a list of 3',
    ],
    ['a string where tokens are', ['a b'], { tokens: true }, 'texts[0] must be a list of tokens'],
    ['a lone surrogate', ['\udc00'], {}, 'texts[0] holds a lone surrogate'],
    ['a text of 10 MB', ['x'.repeat(10_000_000)], {}, 'texts[0] has 10000000 bytes, limit is 1000000'],
    ['an unknown option', ['a'], { normalise: true }, 'Unrecognized key: "normalise"'],
    ['an option out of range', ['a'], { dimensions: -1 }, 'at dimensions'],
    [
      'more dimensions than the model has',
      ['a'],
      { dimensions: 5 },
      'dimensions is 5, the model "fake" has 4',
    ],
    ['a cache without end', ['a'], { cache: { ttlMs: 1e12 } }, 'at cache.ttlMs'],
    ['a dtype that there is not', ['a'], { dtype: 'float64' }, 'at dtype'],
    ['int8 of vectors as they come', ['a'], { dtype: 'int8' }, 'ask for normalize'],
    [
      'an option of a later version',
      ['a'],
      { priority: 1 },
      'priority: this version of the farm does not take it yet',
    ],
    ['a deadline that is none', ['a'], { timeoutMs: 'soon' }, 'at timeoutMs'],
  ])('refuses %s with the field and the limit', async (_, texts, options, message) => {
    const call = farm.encode(texts as string[], options as object);
    await expect(call).rejects.toBeInstanceOf(FarmError);
    await expect(call).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(message),
    });
    await expect(farm.submit(texts as string[], options as object)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it.each([
    ['ftp://a.example.com', 'http:// or https://'],
    ['https://user:hush@a.example.com', 'user name or password'],
    [`https://a.example.com/${'x'.repeat(2_000)}`, '<=2000 characters'],
    ['https://a.example.com/', 'no worker delivers to https://a.example.com'],
  ])('refuses the webhook %s', async (webhook, message) => {
    const submitting = farm.submit(['a'], { webhook });
    await expect(submitting).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(submitting).rejects.toThrow(message);
    await expect(submitting).rejects.toThrow('webhook');
  });

  it('names the models there are when asked for another, and the broken connect option', async () => {
    await expect(farm.encode(['a'], { model: 'other' })).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(EmbeddingFarm.connect({ redis: 'localhost' })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(EmbeddingFarm.connect({ port: 1 } as object)).rejects.toThrow('Unrecognized key: "port"');
    for (const name of ['', 'n'.repeat(65)]) {
      await expect(EmbeddingFarm.connect({ name })).rejects.toThrow('at name');
      expect(() => EmbeddingFarm.inMemory({ dimensions: 3, name })).toThrow('at name');
    }
  });

  it('rejects with overloaded and the time to come back where the farm is full, or waits as asked', async () => {
    await farm.setLimits({ texts: 256, bytes: 64 * 1024 * 1024 });
    expect(await farm.limits()).toEqual({ texts: 256, bytes: 64 * 1024 * 1024, memoryShare: 0.6 });
    // It opens after the limit was set, so it keeps nothing to spare.
    const other = await EmbeddingFarm.connect({ redis: redis.url });
    await farm.close();
    encoder.hold();
    const seen = encoder.calls.length;
    const full = other.encode(Array.from({ length: 256 }, () => 'held'));
    await encoder.arrived(seen + 1);
    await expect(other.encode(['more'])).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: expect.any(Number),
    });
    const waiting = other.encode(['more'], { whenOverloaded: 'wait' });
    expect((await other.status()).admission).toMatchObject({ texts: 256, maxTexts: 256 });
    encoder.release();
    expect((await full).rows).toBe(256);
    expect((await waiting).toArrays()).toEqual([fakeVector('more')]);
    await other.setLimits({ texts: 50_000_000, bytes: null });
    await other.close();
  });

  it('knows no request that never was', async () => {
    await expect(farm.request('0-nobody-1').status()).rejects.toMatchObject({ code: 'result_expired' });
    await expect(farm.request('0-nobody-1').result()).rejects.toMatchObject({ code: 'result_expired' });
    expect(() => farm.request('')).toThrow('[invalid_argument] request id: ✖ must be 3 to 80');
  });

  it('rejects an aborted call, and one that is open when the connection is closed', async () => {
    await expect(farm.encode(['a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    encoder.hold();
    const open = farm.encode(['open']).catch((thrown: unknown) => thrown);
    await encoder.arrived(encoder.calls.length + 1);
    await farm.close();
    expect(await open).toMatchObject({ code: 'cancelled' });
    await expect(farm.encode(['after'])).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('ends a call whose progress listener throws, and no other', async () => {
    const [mine, theirs] = await Promise.allSettled([
      farm.encode(['mine'], {
        onProgress: () => {
          throw new RangeError('my own fault');
        },
      }),
      farm.encode(['theirs']),
    ]);
    expect(mine).toMatchObject({ status: 'rejected', reason: { code: 'internal' } });
    expect(theirs.status).toBe('fulfilled');
  });
});
