import { EmbeddingFarm, TextsFailedError, type AnyEmbeddings } from '@embedfarm/sdk';
import { expect, it } from 'vitest';
import { ResultRows } from './result-rows.ts';

const farm = EmbeddingFarm.inMemory({ dimensions: 3 });
const LIMITS = { maxBytes: 1_000, showTokens: false };
const POOLED = { pooled: true, dimensions: 3 };

function floats(bytes: Uint8Array): number[] {
  return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
}

it('puts slices in their places, whichever comes first', async () => {
  const texts = ['a', 'b', 'c'];
  const rows = new ResultRows(3, LIMITS);
  rows.put(2, await farm.encode(['c']));
  rows.put(0, await farm.encode(['a', 'b']));
  const { shape, bytes, tokens } = rows.toArray(POOLED);
  expect(shape).toEqual([3, 3]);
  expect(floats(bytes)).toEqual((await farm.encode(texts)).toArrays().flat());
  expect(tokens).toBeUndefined();
});

it('gives rows of NaN to slices that are missing and to texts that failed', async () => {
  const rows = new ResultRows(4, LIMITS);
  const failed = await farm
    .encode(['good', 'long '.repeat(600)], { truncate: 'error' })
    .catch((thrown: unknown) => thrown);
  expect(failed).toBeInstanceOf(TextsFailedError);
  rows.put(0, (failed as TextsFailedError).embeddings);
  rows.put(3, await farm.encode(['d']));
  const values = floats(rows.toArray(POOLED).bytes);
  const isNan = Array.from({ length: 4 }, (_, row) => values.slice(row * 3, row * 3 + 3).every(Number.isNaN));
  expect(isNan).toEqual([false, true, true, false]);
  expect(floats(new ResultRows(1, LIMITS).toArray(POOLED).bytes)).toEqual([NaN, NaN, NaN]);
});

it('fills the texts of a model that does not pool up to the longest one, with zeros', () => {
  const rows = new ResultRows(2, LIMITS);
  rows.put(
    0,
    tokenVectors(
      [
        [1, 2, 3, 4],
        [5, 6],
      ],
      2,
    ),
  );
  const { shape, bytes } = rows.toArray({ pooled: false, dimensions: 2 });
  expect(shape).toEqual([2, 2, 2]);
  expect(floats(bytes)).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
});

it('refuses what is longer than a result may be, as soon as that is known', async () => {
  const rows = new ResultRows(100, LIMITS);
  const one = await farm.encode(['a']);
  expect(() => rows.put(0, one)).toThrow('the result has 1200 bytes, limit is 1000');
  expect(() => new ResultRows(100, LIMITS).toArray(POOLED)).toThrow('1200 bytes');
});

it('carries the tokens where it is to', async () => {
  const rows = new ResultRows(2, { ...LIMITS, showTokens: true });
  rows.put(1, await farm.encode(['b c'], { returnTokens: true }));
  rows.put(0, await farm.encode(['a'], { returnTokens: true }));
  expect(rows.toArray(POOLED).tokens).toEqual([
    ['[CLS]', 'a', '[SEP]'],
    ['[CLS]', 'b', 'c', '[SEP]'],
  ]);
});

/** As a model without pooling gives them. */
function tokenVectors(texts: number[][], dimensions: number): AnyEmbeddings {
  const vectors = texts.map((values) => Float32Array.from(values));
  return {
    dtype: 'float32',
    rows: texts.length,
    dimensions,
    tokens: undefined,
    has: () => true,
    at: (index: number) => vectors[index] ?? new Float32Array(),
    rowsOf: (index: number) => (vectors[index]?.length ?? 0) / dimensions,
  } as unknown as AnyEmbeddings;
}
