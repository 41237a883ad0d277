import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FarmError } from './farm-error.ts';
import { joinBlocks, sliceBlock } from './join-blocks.ts';
import { decodeVectorBlock, encodeVectorBlock, failedBlock, type VectorBlock } from './vector-block.ts';

/** Blocks of up to 6 texts, each with no row (failed), one, or several. */
const blocks = fc
  .record({
    rows: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }),
    dimensions: fc.integer({ min: 1, max: 9 }),
    seed: fc.integer({ min: 1, max: 1_000 }),
  })
  .map(({ rows, dimensions, seed }) => makeBlock(rows, dimensions, seed));

describe('the vector block', () => {
  it('comes back as it went, from any offset of a larger buffer', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 0, max: 7 }), (block, offset) => {
        const bytes = encodeVectorBlock(block);
        const pool = new Uint8Array(bytes.byteLength + 16).fill(0xab);
        pool.set(bytes, offset);
        const view = pool.subarray(offset, offset + bytes.byteLength);
        expect(decodeVectorBlock(view)).toEqual(block);
      }),
    );
  });

  it('does not change when the buffer it was read from does', () => {
    const bytes = encodeVectorBlock(makeBlock([1, 1], 3, 7));
    const block = decodeVectorBlock(bytes);
    const before = Array.from(block.values);
    bytes.fill(0);
    expect(Array.from(block.values)).toEqual(before);
  });

  it('carries float16, int8 and binary rows', () => {
    const common = { ...makeBlock([1, 1], 12, 1), failures: [] };
    for (const block of [
      { ...common, dtype: 'float16' as const, values: Uint16Array.from({ length: 24 }, (_, i) => i * 1_000) },
      { ...common, dtype: 'int8' as const, values: Int8Array.from({ length: 24 }, (_, i) => i - 12) },
      { ...common, dtype: 'binary' as const, values: Uint8Array.of(1, 2, 3, 255) },
    ]) {
      expect(decodeVectorBlock(encodeVectorBlock(block))).toEqual(block);
    }
  });

  it('carries the tokens of its texts, beside failures', () => {
    const tokenLists = [['[CLS]', 'größe', '[SEP]'], [], ['[CLS]', '"', '[SEP]']];
    const block = { ...makeBlock([1, 0, 1], 3, 7), tokenLists };
    expect(decodeVectorBlock(encodeVectorBlock(block))).toEqual(block);
    const sound = { ...makeBlock([1], 3, 7), tokenLists: [['a']] };
    expect(decodeVectorBlock(encodeVectorBlock(sound))).toEqual(sound);
  });

  it('without tokens has the bytes of before there were any', () => {
    const bytes = encodeVectorBlock(makeBlock([1, 0], 1, 7));
    expect(bytes[4]).toBe(1);
    expect(JSON.parse(Buffer.from(bytes.subarray(44 + 2 * 12 + 4 + 4)).toString())).toEqual([
      { code: 'sequence_too_long', message: 'größer', texts: [1] },
    ]);
    const sound = encodeVectorBlock(makeBlock([1], 2, 7));
    expect(sound.byteLength).toBe(56 + 2 * 4);
  });

  it.each([
    ['too few', [['a']]],
    ['numbers', [['a'], [1]]],
    ['strings', ['a', 'b']],
  ])('refuses tokens that are %s', (_, tokenLists) => {
    const bytes = encodeVectorBlock({ ...makeBlock([1, 1], 3, 7), tokenLists: tokenLists as string[][] });
    expect(() => decodeVectorBlock(bytes)).toThrow('tokens are not 2 lists of strings');
  });

  it('refuses bytes that are cut short anywhere', () => {
    const bytes = encodeVectorBlock({ ...makeBlock([1, 0, 2], 5, 3), failures: [] });
    for (let length = 0; length < bytes.byteLength; length += 1) {
      expect(() => decodeVectorBlock(bytes.subarray(0, length))).toThrow(FarmError);
    }
  });

  it('answers flipped bytes with a block or a FarmError, never another error', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), fc.integer({ min: 1, max: 255 }), (block, at, flip) => {
        const bytes = encodeVectorBlock(block);
        bytes[at % bytes.byteLength] = (bytes[at % bytes.byteLength] ?? 0) ^ flip;
        expect(decodeOutcome(bytes)).toMatch(/^(a block|a FarmError)$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses rows of no dimensions, which would join with anything', () => {
    const bytes = encodeVectorBlock({ ...makeBlock([1], 0, 1), values: new Float32Array(0) });
    expect(() => decodeVectorBlock(bytes)).toThrow('rows of no dimensions');
  });

  it('refuses to be made with values that do not fit its rows', () => {
    expect(() => encodeVectorBlock({ ...makeBlock([1], 4, 1), values: new Float32Array(3) })).toThrow(
      'a block of 1 rows needs 16 bytes, got 12',
    );
  });

  it('tells why every text failed', () => {
    const block = decodeVectorBlock(encodeVectorBlock(failedBlock(3, 'model_changed', 'other weights')));
    expect(block.failures).toEqual([{ code: 'model_changed', message: 'other weights', texts: [0, 1, 2] }]);
  });
});

describe('joining and slicing', () => {
  it('a block cut anywhere and joined is the block', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), (block, cut) => {
        const at = cut % (block.tokens.length + 1);
        const parts = [sliceBlock(block, 0, at), sliceBlock(block, at, block.tokens.length)];
        const joined = joinBlocks(parts.filter(({ tokens }) => tokens.length > 0));
        expect({ ...joined, failures: indicesOf(joined) }).toEqual({ ...block, failures: indicesOf(block) });
      }),
    );
  });

  it('joins tokens, of which a failed chunk has none', () => {
    const good = { ...makeBlock([1, 1], 2, 1), tokenLists: [['a'], ['b', 'c']] };
    const joined = joinBlocks([good, failedBlock(2, 'internal', 'lost'), sliceBlock(good, 1, 2)]);
    expect(joined.tokenLists).toEqual([['a'], ['b', 'c'], [], [], ['b', 'c']]);
  });

  it('joins failed chunks with good ones, at their place', () => {
    const joined = joinBlocks([
      makeBlock([1], 2, 1),
      failedBlock(2, 'internal', 'lost'),
      makeBlock([1], 2, 2),
    ]);
    expect(joined.firstRows).toEqual(Uint32Array.of(0, 1, 1, 1, 2));
    expect(joined.failures).toEqual([{ code: 'internal', message: 'lost', texts: [1, 2] }]);
  });

  it('refuses blocks of different dimensions', () => {
    expect(() => joinBlocks([makeBlock([1], 2, 1), makeBlock([1], 3, 1)])).toThrow(FarmError);
  });
});

function decodeOutcome(bytes: Uint8Array): string {
  try {
    decodeVectorBlock(bytes);
    return 'a block';
  } catch (thrown) {
    return thrown instanceof FarmError ? 'a FarmError' : String(thrown);
  }
}

function indicesOf(block: VectorBlock): number[] {
  return block.failures.flatMap(({ texts }) => texts);
}

function makeBlock(rows: readonly number[], dimensions: number, seed: number): VectorBlock {
  const firstRows = new Uint32Array(rows.length + 1);
  for (const [index, count] of rows.entries()) firstRows[index + 1] = (firstRows[index] ?? 0) + count;
  const total = firstRows[rows.length] ?? 0;
  const failed = rows.flatMap((count, index) => (count === 0 ? [index] : []));
  return {
    dtype: 'float32',
    dimensions,
    values: Float32Array.from({ length: total * dimensions }, (_, index) => Math.fround(seed / (index + 3))),
    firstRows,
    tokens: Uint32Array.from(rows, (_, index) => index + seed),
    truncated: Uint8Array.from(rows, (_, index) => (index + seed) % 2),
    failures: failed.length === 0 ? [] : [{ code: 'sequence_too_long', message: 'größer', texts: failed }],
    timing: { queueMs: 1.5, tokenizeMs: 0.25, batchWaitMs: 3, deviceMs: 4 },
  };
}
