import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddingFarm } from './embedding-farm.ts';
import type { EncodedRow } from './encoded-row.ts';
import { expectedVectors, FARMS, type FarmUnderTest } from './testing/farms.ts';

const MANY = Array.from({ length: 600 }, (_, index) => `text number ${index}`);
const LONG = 'word '.repeat(600);

describe.each(FARMS)('submitted requests of a farm %s', (_, open) => {
  let under: FarmUnderTest;
  let farm: EmbeddingFarm;

  beforeAll(async () => {
    under = await open();
  });
  afterAll(() => under.close());
  beforeEach(async () => {
    farm = await under.connect();
  });
  afterEach(() => farm.close());

  it('keeps the result of a list, to be read again by its id', async () => {
    const { id, filled } = await farm.submit(MANY, { label: 'reindex', dimensions: 6 });
    await filled;
    const vectors = await farm.request(id).result();
    expect(vectors.toArrays()).toEqual(await expectedVectors(MANY, { dimensions: 6 }));
    expect(await farm.request(id).wait()).toMatchObject({
      id,
      state: 'completed',
      model: 'memory',
      label: 'reindex',
      fault: undefined,
      texts: 600,
      done: 600,
      failed: 0,
      tokens: 3_000,
      truncated: 0,
      etaMs: 0,
      createdAtMs: expect.any(Number),
      startedAtMs: expect.any(Number),
      endedAtMs: expect.any(Number),
      expiresAtMs: expect.any(Number),
    });
    expect((await farm.request(id).result()).rows).toBe(600);
    expect((await toArray(farm.request(id).rows({ from: 598 }))).map(({ index }) => index)).toEqual([
      598, 599,
    ]);
  });

  it('has nothing to retry where no chunk failed as a whole', async () => {
    const good = await farm.submit(['good']);
    await good.wait();
    await expect(good.retry()).rejects.toMatchObject({ code: 'invalid_argument' });
    const alone = await farm.submit([LONG, 'good'], { truncate: 'error' });
    expect(await alone.wait()).toMatchObject({ done: 1, failed: 1 });
    await expect(alone.retry()).rejects.toMatchObject({ code: 'result_expired' });
  });

  it('fills a request from an iterable, in which a bad text fails alone', async () => {
    const texts = ['one', '\ud800', 'three', LONG] as const;
    const request = await farm.submit(new Set(texts), { truncate: 'error' });
    const rows = await toArray(request);
    await request.filled;
    expect(rows.map(({ error }) => error?.code)).toEqual([
      undefined,
      'invalid_argument',
      undefined,
      'sequence_too_long',
    ]);
    expect(Array.from(rows[2]?.vector ?? [])).toEqual((await expectedVectors(['three']))[0]);
    const { failures } = await request.result();
    expect(failures.map(({ index, code }) => [index, code])).toEqual([
      [1, 'invalid_argument'],
      [3, 'sequence_too_long'],
    ]);
    expect(await request.status()).toMatchObject({ state: 'completed', texts: 4, done: 2, failed: 2 });
  });

  it('ends failed where no text has a vector, completed where there was none', async () => {
    const failed = await farm.submit([LONG], { truncate: 'error' });
    expect(await failed.wait()).toMatchObject({ state: 'failed', done: 0, failed: 1 });
    await expect(failed.result()).rejects.toMatchObject({ code: 'sequence_too_long' });
    const empty = await farm.submit(new Set<string>());
    expect(await empty.wait()).toMatchObject({ state: 'completed', texts: 0 });
    expect((await empty.result()).rows).toBe(0);
  });

  it('keeps what a source gave before it failed', async () => {
    const request = await farm.submit(
      (function* () {
        yield* ['one', 'two'];
        throw new RangeError('no more');
      })(),
    );
    await expect(request.filled).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('the source of texts failed at texts[2]: no more'),
    });
    expect(await request.wait()).toMatchObject({ state: 'incomplete', texts: 2, done: 2 });
    expect((await request.status()).fault).toContain('no more');
    expect((await request.result()).rows).toBe(2);
  });

  it('takes a request back that is being filled, and keeps what was done', async () => {
    const source = new HeldSource();
    const request = await farm.submit(source, { label: 'hangs' });
    const waiting = request.wait({ timeoutMs: 50 });
    await expect(waiting).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(await farm.request(request.id).status()).toMatchObject({ state: 'filling' });
    expect(await farm.request(request.id).cancel()).toMatchObject({ state: 'cancelled' });
    source.release();
    await expect(request.filled).rejects.toMatchObject({ code: 'cancelled' });
    expect(await request.wait()).toMatchObject({ state: 'cancelled' });
    await expect(request.result()).rejects.toMatchObject({ code: 'cancelled' });
    expect(await request.cancel()).toMatchObject({ state: 'cancelled' });
  });

  it('ends a wait with its signal', async () => {
    const abort = new AbortController();
    const source = new HeldSource();
    const request = await farm.submit(source);
    const waits = [
      request.wait({ signal: abort.signal }),
      request.result({ signal: abort.signal }),
      toArray(request.rows({ signal: abort.signal })),
    ];
    abort.abort();
    for (const wait of await Promise.allSettled(waits)) {
      expect(wait).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    }
    source.release();
    await request.filled;
    expect((await request.result()).rows).toBe(1);
  });

  it('deletes what is consumed, and says so', async () => {
    const request = await farm.submit(MANY);
    expect(await toArray(request.rows({ consume: true }))).toHaveLength(600);
    await expect(request.result()).rejects.toMatchObject({ code: 'result_expired' });
    expect(await request.status()).toMatchObject({ state: 'expired' });
    const other = await farm.submit(['a']);
    await other.result({ consume: true });
    await expect(toArray(other.rows())).rejects.toMatchObject({ code: 'result_expired' });
  });

  it('discards the results of one that has ended, and of no other', async () => {
    const source = new HeldSource();
    const request = await farm.submit(source);
    await expect(request.discard()).rejects.toMatchObject({ code: 'invalid_argument' });
    source.release();
    await request.wait();
    await request.discard();
    await expect(request.result()).rejects.toMatchObject({ code: 'result_expired' });
  });

  it('keeps the weights of tenants', async () => {
    await farm.setWeight('acme', 2);
    expect(await farm.weights()).toEqual({ acme: 2 });
    await expect(farm.setWeight('acme', 0)).rejects.toMatchObject({ code: 'invalid_argument' });
    await farm.removeWeight('acme');
    expect(await farm.weights()).toEqual({});
  });

  it('names its requests, the newest first, by label and state', async () => {
    const label = `listed ${farm.clientId}`;
    const first = await farm.submit(['a'], { label });
    await first.wait();
    const source = new HeldSource();
    const second = await farm.submit(source, { label });
    const ids = async (options: object): Promise<string[]> =>
      (await farm.requests({ label, ...options })).map(({ id }) => id);
    expect(await ids({})).toEqual([second.id, first.id]);
    expect(await ids({ state: 'filling' })).toEqual([second.id]);
    expect(await ids({ limit: 1 })).toEqual([second.id]);
    source.release();
    expect(await second.wait()).toMatchObject({ state: 'completed' });
  });

  it('knows no request that never was, and no id that is none', async () => {
    const never = farm.request('0-nobody-1');
    const calls = [never.status(), never.wait(), never.result(), never.cancel(), toArray(never.rows())];
    for (const call of await Promise.allSettled<unknown>(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'result_expired' } });
    }
    expect(() => farm.request('')).toThrow('[invalid_argument]');
  });

  it('answers nothing after its close', async () => {
    const request = await farm.submit(['a']);
    await farm.close();
    const calls = [farm.submit(['a']), request.status(), request.result(), farm.requests()];
    for (const call of await Promise.allSettled<unknown>(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    }
  });
});

/** Gives one text, once it is let. */
class HeldSource {
  readonly #released: Promise<void>;
  release!: () => void;

  constructor() {
    this.#released = new Promise((resolve) => (this.release = resolve));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    await this.#released;
    yield 'held';
  }
}

async function toArray(rows: AsyncIterable<EncodedRow>): Promise<EncodedRow[]> {
  const all: EncodedRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
