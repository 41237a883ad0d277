import { toFloat16, type VectorBlock } from '@embedfarm/contract';
import { describe, expect, it } from 'vitest';
import { Embeddings, type AnyEmbeddings } from './embeddings.ts';

const VALUES = [0.5, -1, 2, 0.25, 3, -4];

/** Two texts of three numbers each, with a failed one between them. */
function embeddingsOf(dtype: VectorBlock['dtype'], values: VectorBlock['values']): AnyEmbeddings {
  const block: VectorBlock = {
    dtype,
    dimensions: 3,
    values,
    firstRows: Uint32Array.of(0, 1, 1, 2),
    tokens: Uint32Array.of(3, 0, 5),
    truncated: new Uint8Array(3),
    failures: [{ code: 'internal', message: 'why', texts: [1] }],
    timing: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 },
  };
  return Embeddings.from({ model: 'm', block, timing: { ...block.timing, totalMs: 0 } });
}

describe('Embeddings', () => {
  it.each([
    ['float32', Float32Array.from(VALUES), Float32Array.of(0.25, 3, -4), 12],
    ['float16', toFloat16(Float32Array.from(VALUES)), Float32Array.of(0.25, 3, -4), 6],
    ['int8', Int8Array.of(1, 2, 3, -4, 5, 127), Int8Array.of(-4, 5, 127), 3],
    ['binary', Uint8Array.of(0b1010_0000, 0b1100_0000), Uint8Array.of(0b1100_0000), 1],
  ] as const)('of %s are its typed arrays', (dtype, values, last, bytes) => {
    const embeddings = embeddingsOf(dtype, values);
    expect(embeddings.dtype).toBe(dtype);
    expect(embeddings.at(2)).toEqual(last);
    expect(embeddings.bytesAt(2)).toHaveLength(bytes);
    expect(() => embeddings.at(1)).toThrow('[internal] why');
    expect(() => embeddings.bytesAt(1)).toThrow('[internal] why');
    expect(() => embeddings.toArrays()).toThrow('[internal] why');
  });

  it('give the bytes of float16 as two a number, little-endian', () => {
    const embeddings = embeddingsOf('float16', toFloat16(Float32Array.from(VALUES)));
    expect([...embeddings.bytesAt(0)]).toEqual([0x00, 0x38, 0x00, 0xbc, 0x00, 0x40]);
  });
});
