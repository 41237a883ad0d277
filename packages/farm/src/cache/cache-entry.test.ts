import { encodeVectorBlock, failedBlock, joinBlocks, type VectorBlock } from '@embedfarm/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry, type EntryShape } from './cache-entry.ts';

const SHAPE: EntryShape = { dtype: 'float32', dimensions: 3, hasTokens: false, isPooled: true };

function block(parts: Partial<VectorBlock> = {}): VectorBlock {
  return {
    dtype: 'float32',
    dimensions: 3,
    values: Float32Array.of(1, Number.MIN_VALUE, -0),
    firstRows: Uint32Array.of(0, 1),
    tokens: Uint32Array.of(7),
    truncated: Uint8Array.of(1),
    failures: [],
    timing: { queueMs: 1, tokenizeMs: 2, batchWaitMs: 3, deviceMs: 4 },
    ...parts,
  };
}
const bytesOf = (one: VectorBlock): Buffer => Buffer.from(encodeVectorBlock(one));

describe('an entry of the cache', () => {
  it('gives back the bits of the vector, the receipt and the tokens, and no time', () => {
    const shape = { ...SHAPE, hasTokens: true };
    const whole = joinBlocks([
      block({ tokenLists: [['a']], values: Float32Array.of(9, 9, 9) }),
      block({ tokenLists: [['b', '[SEP]']] }),
    ]);
    const bytes = encodeEntry(whole, 1, shape) ?? Buffer.alloc(0);
    const { values, ...entry } = decodeEntry(bytes, shape) ?? block();
    expect(new Uint8Array(values.buffer)).toEqual(new Uint8Array(block().values.buffer));
    expect(entry).toMatchObject({ tokens: Uint32Array.of(7), truncated: Uint8Array.of(1) });
    expect(entry.tokenLists).toEqual([['b', '[SEP]']]);
    expect(Object.values(entry.timing)).toEqual([0, 0, 0, 0]);
  });

  it('is not made of a text that failed', () => {
    const whole = joinBlocks([block(), failedBlock(1, 'internal', 'told to fail')]);
    expect(encodeEntry(whole, 0, SHAPE)).toBeDefined();
    expect(encodeEntry(whole, 1, SHAPE)).toBeUndefined();
  });

  it.each([
    ['another dtype', block({ dtype: 'int8', values: Int8Array.of(1, 2, 3) })],
    ['other dimensions', block({ dimensions: 1, values: Float32Array.of(1) })],
    ['no vector', block({ firstRows: Uint32Array.of(0, 0), values: new Float32Array(0) })],
    ['two vectors', block({ firstRows: Uint32Array.of(0, 2), values: new Float32Array(6) })],
    ['two texts', joinBlocks([block(), block()])],
    ['a failure', failedBlock(1, 'internal', 'told to fail')],
    ['tokens that nobody asked for', block({ tokenLists: [['a']] })],
  ])('with %s is none', (_, one) => {
    expect(decodeEntry(bytesOf(one), SHAPE)).toBeUndefined();
  });

  it('has a vector for each token where texts are not pooled', () => {
    const two = block({ firstRows: Uint32Array.of(0, 2), values: new Float32Array(6) });
    expect(decodeEntry(bytesOf(two), { ...SHAPE, isPooled: false })?.values).toHaveLength(6);
  });

  it('cut short or of any bytes is none, and throws nothing', () => {
    const whole = bytesOf(block());
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeEntry(whole.subarray(0, length), SHAPE)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeEntry(bytes, SHAPE)).toBeUndefined();
      }),
    );
  });

  it('with any byte changed is none, or has the shape that was asked for', () => {
    const whole = bytesOf(block());
    const shapes = new Set<string>();
    for (let at = 0; at < whole.length; at += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        const entry = decodeEntry(bytes, SHAPE);
        shapes.add(
          entry ? `${entry.values.length} of ${entry.dimensions}, ${entry.tokens.length} text` : 'none',
        );
      }
    }
    expect(shapes).toEqual(new Set(['none', '3 of 3, 1 text']));
  });
});
