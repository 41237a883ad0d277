import { FarmError, type EncodeText } from '@embedfarm/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddingFarm } from './embedding-farm.ts';
import type { EncodedRow } from './encoded-row.ts';
import { TextsFailedError } from './texts-failed-error.ts';
import { expectedVectors, FARMS, type FarmUnderTest } from './testing/farms.ts';

const MANY = Array.from({ length: 600 }, (_, index) => `text number ${index}`);
const LONG = Array.from({ length: 600 }, (_, index) => `word${index}`).join(' ');

describe.each(FARMS)('encode and encodeStream of a farm %s', (_, open) => {
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

  it('gives the same text the same vector of length 1, and another one another', async () => {
    const vectors = await farm.encode(['a', 'b', 'a']);
    expect(vectors.toArrays()).toEqual(await expectedVectors(['a', 'b', 'a']));
    expect(vectors.at(0)).toEqual(vectors.at(2));
    expect(vectors.at(0)).not.toEqual(vectors.at(1));
    expect(Math.hypot(...vectors.at(0))).toBeCloseTo(1, 6);
    expect([vectors.rows, vectors.dimensions, vectors.model, vectors.dtype]).toEqual([
      3,
      24,
      'memory',
      'float32',
    ]);
    expect((await farm.encode(MANY)).toArrays()).toEqual(await expectedVectors(MANY));
  });

  it.each([
    [{ dimensions: 5 }],
    [{ normalize: false }],
    [{ dtype: 'float16', dimensions: 7 }],
    [{ dtype: 'int8' }],
    [{ dtype: 'binary' }],
    [{ promptName: 'query' }],
    [{ prompt: 'query' }],
    [{ prompt: '' }],
    [{ truncate: 'start' }],
  ] as const)('honours %j', async (options) => {
    const vectors = await farm.encode(['one', 'two words'], options);
    expect(vectors.toArrays()).toEqual(await expectedVectors(['one', 'two words'], options));
  });

  it('gives another vector under another prompt, and the same under none', async () => {
    const vectorOf = async (options: object): Promise<number[][]> =>
      (await farm.encode(['a'], options)).toArrays();
    const prompted = [{}, { promptName: 'query' }, { prompt: 'query' }, { prompt: '' }].map(vectorOf);
    const vectors = await Promise.all(prompted);
    expect(new Set(vectors.map((vector) => JSON.stringify(vector))).size).toBe(4);
    expect(await vectorOf({ promptName: 'passage' })).toEqual(vectors[0]);
  });

  it('shortens vectors as Matryoshka does: the first numbers, scaled again', async () => {
    const [whole] = (await farm.encode(['a'])).toArrays();
    const [short] = (await farm.encode(['a'], { dimensions: 3 })).toArrays();
    const length = Math.hypot(...(whole ?? []).slice(0, 3));
    for (const [at, number] of (short ?? []).entries())
      expect(number).toBeCloseTo((whole?.[at] ?? 0) / length, 5);
  });

  it('tells the tokens of texts, pairs and lists, and which were cut', async () => {
    const { receipts, tokens } = await farm.encode(['two words', '', ['a b', 'c'], LONG] as EncodeText[], {
      returnTokens: true,
    });
    expect(receipts.map((receipt) => receipt.tokens)).toEqual([4, 2, 6, 512]);
    expect(receipts.map(({ truncated }) => truncated)).toEqual([false, false, false, true]);
    expect(tokens?.slice(0, 3)).toEqual([
      ['[CLS]', 'two', 'words', '[SEP]'],
      ['[CLS]', '[SEP]'],
      ['[CLS]', 'a', 'b', '[SEP]', 'c', '[SEP]'],
    ]);
    const lists = [
      ['t', 'o'],
      [['t'], ['o', 'k']],
    ] as const;
    const listed = await farm.encode(lists, { tokens: true, prompt: '' });
    expect(listed.receipts.map((receipt) => receipt.tokens)).toEqual([4, 6]);
  });

  it('fails the texts that are too long, where that is an error, and no others', async () => {
    const failed = await farm
      .encode(['short', LONG], { truncate: 'error' })
      .catch((thrown: unknown) => thrown);
    if (!(failed instanceof TextsFailedError)) throw failed;
    expect(failed.failures).toEqual([
      { index: 1, code: 'sequence_too_long', message: 'the text has 602 tokens, limit is 512' },
    ]);
    expect([failed.embeddings.has(0), failed.embeddings.has(1)]).toEqual([true, false]);
    expect(failed.embeddings.receipts[1]).toEqual({ tokens: 0, truncated: false });
  });

  it.each([
    ['an empty list', [], {}, 'invalid_argument'],
    ['no list', 'text', {}, 'invalid_argument'],
    ['a lone surrogate', ['\udc00'], {}, 'invalid_argument'],
    ['an unknown option', ['a'], { normalise: true }, 'invalid_argument'],
    ['more dimensions than there are', ['a'], { dimensions: 25 }, 'invalid_argument'],
    ['int8 of vectors as they come', ['a'], { dtype: 'int8', normalize: false }, 'invalid_argument'],
    ['an unknown prompt', ['a'], { promptName: 'title' }, 'invalid_argument'],
    ['another model', ['a'], { model: 'other' }, 'model_not_found'],
    ['a signal that is aborted', ['a'], { signal: AbortSignal.abort() }, 'cancelled'],
  ])('refuses %s', async (_name, texts, options, code) => {
    const call = farm.encode(texts as string[], options as object);
    await expect(call).rejects.toBeInstanceOf(FarmError);
    await expect(call).rejects.toMatchObject({ code });
    await expect(farm.submit(texts as string[], options as object)).rejects.toMatchObject({ code });
  });

  it('tells its progress, and ends where its listener throws', async () => {
    const progress: number[] = [];
    await farm.encode(MANY, { onProgress: ({ done }) => progress.push(done) });
    expect(progress).toHaveLength(3);
    expect(progress.at(-1)).toBe(600);
    const onProgress = (): void => {
      throw new RangeError('mine');
    };
    await expect(farm.encode(['a'], { onProgress })).rejects.toMatchObject({ code: 'internal' });
  });

  it('streams rows in order, with the errors of bad texts at their places', async () => {
    const texts = [...MANY, 7, LONG] as EncodeText[];
    const rows = await toArray(farm.encodeStream(texts, { truncate: 'error', window: 2, dimensions: 4 }));
    const vectors = await expectedVectors(MANY, { dimensions: 4 });
    expect(rows.map(({ index }) => index)).toEqual(texts.map((_text, index) => index));
    expect(rows.slice(0, 600).map(({ vector }) => Array.from(vector ?? []))).toEqual(vectors);
    expect(rows[5]).toMatchObject({ tokens: 5, truncated: false, error: undefined });
    expect(rows.slice(600).map(({ vector, error }) => [vector, error?.code])).toEqual([
      [undefined, 'invalid_argument'],
      [undefined, 'sequence_too_long'],
    ]);
  });

  it('streams from a position, and again under an id', async () => {
    const tail = await toArray(farm.encodeStream(MANY, { position: 300 }));
    expect(tail.map(({ index }) => index)).toEqual(MANY.map((_text, index) => index).slice(300));
    for await (const { index } of farm.encodeStream(MANY, { id: 'corpus' })) if (index === 299) break;
    expect(await toArray(farm.encodeStream(MANY, { id: 'corpus', position: 300 }))).toEqual(tail);
  });

  it('streams what its source gave before it failed, then fails with that', async () => {
    const fault = new RangeError('no more');
    let hasFirst: (() => void) | undefined;
    const first = new Promise<void>((resolve) => (hasFirst = resolve));
    const rows = farm.encodeStream(
      (async function* () {
        yield* MANY.slice(0, 256);
        await first;
        throw fault;
      })(),
    );
    expect((await rows.next()).value).toMatchObject({ index: 0, error: undefined });
    hasFirst?.();
    await expect(toArray(rows)).rejects.toBe(fault);
  });

  it.each([
    ['a string for texts', 'text', {}],
    ['a window out of bounds', ['a'], { window: 257 }],
    ['an empty id', ['a'], { id: '' }],
    ['tokens, which rows do not have', ['a'], { returnTokens: true }],
  ])('refuses to stream %s, at once', (_name, texts, options) => {
    const stream = (): unknown => farm.encodeStream(texts as string[], options as object);
    expect(stream).toThrow(FarmError);
    expect(stream).toThrow('[invalid_argument]');
  });

  it('refuses in the loop what the model cannot do', async () => {
    const refusal = async (options: object): Promise<unknown> =>
      await toArray(farm.encodeStream(['a'], options)).catch((thrown: FarmError) => thrown.code);
    expect(await refusal({ dimensions: 25 })).toBe('invalid_argument');
    expect(await refusal({ model: 'other' })).toBe('model_not_found');
    expect(await refusal({ signal: AbortSignal.abort() })).toBe('cancelled');
  });

  it('answers nothing after its close, and ends a stream that is open', async () => {
    const rows = farm.encodeStream(endless());
    await rows.next();
    await farm.close();
    await expect(toArray(rows)).rejects.toMatchObject({ code: 'cancelled' });
    await expect(farm.encode(['a'])).rejects.toMatchObject({ code: 'cancelled' });
    await expect(farm.encodeStream(['a']).next()).rejects.toMatchObject({ code: 'cancelled' });
    await expect(farm.close()).resolves.toBeUndefined();
  });

  it('says what it is', async () => {
    const { models, workers, devices } = await farm.status();
    expect(models).toMatchObject([{ model: 'memory', dimensions: 24, workers: 1, meaningful: false }]);
    expect([workers.length, devices.length]).toEqual([1, 1]);
    expect(farm.clientId).toMatch(/^[0-9a-f]{18}$/);
  });
});

function* endless(): Generator<string> {
  for (let index = 0; ; index += 1) yield `text ${index}`;
}

async function toArray(rows: AsyncIterable<EncodedRow>): Promise<EncodedRow[]> {
  const all: EncodedRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
