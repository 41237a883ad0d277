import type { VectorBlock } from '@embedfarm/contract';
import { Embeddings } from '@embedfarm/sdk';
import { describe, expect, it } from 'vitest';
import { embeddingsJson } from './embeddings-json.ts';
import { embeddingsTable } from './embeddings-table.ts';

const values = Float32Array.of(0.1, -1e-30, 3.4e38, 1 / 3);
const block: VectorBlock = {
  dtype: 'float32',
  dimensions: 2,
  values,
  firstRows: Uint32Array.of(0, 1, 1, 2),
  tokens: Uint32Array.of(3, 0, 5),
  truncated: Uint8Array.of(0, 0, 1),
  failures: [{ code: 'sequence_too_long', message: 'too long', texts: [1] }],
  timing: { queueMs: 1, tokenizeMs: 2, batchWaitMs: 3, deviceMs: 4 },
};
const timing = { ...block.timing, totalMs: 10 };
const embeddings = Embeddings.from({ model: 'tiny', block, timing });

describe('embeddingsJson', () => {
  it('is one object, in which every float32 comes back with its bits', () => {
    const parsed = JSON.parse([...embeddingsJson(embeddings)].join(''));
    expect(parsed).toEqual({
      model: 'tiny',
      dimensions: 2,
      dtype: 'float32',
      embeddings: [Array.from(values.subarray(0, 2)), null, Array.from(values.subarray(2))],
      receipts: [
        { tokens: 3, truncated: false },
        { tokens: 0, truncated: false },
        { tokens: 5, truncated: true },
      ],
      timing,
      errors: [{ index: 1, code: 'sequence_too_long', message: 'too long' }],
    });
    const bits = (numbers: Float32Array) => new Uint32Array(numbers.buffer);
    const back = Float32Array.from([...parsed.embeddings[0], ...parsed.embeddings[2]]);
    expect(bits(back)).toEqual(bits(values));
  });
});

describe('tokens that were asked for', () => {
  const tokenLists = [['[CLS]', 'one', '[SEP]'], [], ['[CLS]', 'three', '[SEP]']];
  const shown = Embeddings.from({ model: 'tiny', block: { ...block, tokenLists }, timing });

  it('stand in JSON, and below the rows of the table', () => {
    expect(JSON.parse([...embeddingsJson(shown)].join('')).tokens).toEqual(tokenLists);
    expect(embeddingsTable(['one', 'two', 'three'], shown)).toContain('\n  [CLS] three [SEP]\n');
  });
});

describe('embeddings of another dtype', () => {
  const bytes = { ...block, dtype: 'int8' as const, values: Int8Array.of(-127, 4, 5, 6) };
  const ofInt8 = Embeddings.from({ model: 'tiny', block: bytes, timing });

  it('are integers in JSON, which names the dtype', () => {
    expect(JSON.parse([...embeddingsJson(ofInt8)].join(''))).toMatchObject({
      dtype: 'int8',
      embeddings: [[-127, 4], null, [5, 6]],
    });
  });

  it('are integers in the table', () => {
    const table = embeddingsTable(['one', 'two', 'three'], ofInt8);
    expect(table).toContain('3 texts × 2 dimensions of int8, model tiny');
    expect(table).toContain('[-127,    4]');
  });
});

describe('embeddingsTable', () => {
  it('shows shape, first values, failures and timing', () => {
    const table = embeddingsTable(['one', 'two', 'three'], embeddings);
    expect(table).toContain('3 texts × 2 dimensions, model tiny');
    expect(table).toContain('0.100000');
    expect(table).toContain('[sequence_too_long] too long');
    expect(table).toContain('5 tokens, truncated');
    expect(table).toContain('total 10.0 ms');
  });
});
