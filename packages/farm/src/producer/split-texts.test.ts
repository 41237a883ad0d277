import { encodeOptionsSchema } from '@embedfarm/contract';
import { fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxChunkTexts, splitTexts } from './split-texts.ts';

describe('splitting texts into chunks', () => {
  it('keeps every text once, whole and in order, within the number of texts', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.integer({ min: 1, max: 256 }), (count, maxTexts) => {
        const ranges = splitTexts(Array(count).fill('text'), maxTexts);
        let next = 0;
        for (const { from, to } of ranges) {
          expect(from).toBe(next);
          expect(to - from).toBeGreaterThan(0);
          expect(to - from).toBeLessThanOrEqual(maxTexts);
          next = to;
        }
        expect(next).toBe(count);
      }),
    );
  });

  it('counts bytes, not characters, and never cuts a text', () => {
    const texts = ['€'.repeat(200_000), '€'.repeat(200_000), 'x', '€'.repeat(333_333)];
    expect(splitTexts(texts, 256)).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 3 },
      { from: 3, to: 4 },
    ]);
  });

  it('takes fewer texts where each brings a vector for every token', () => {
    const base = { ...fakeRegistration(), dimensions: 768, maxSequenceLength: 512 };
    const options = encodeOptionsSchema.parse({});
    expect(maxChunkTexts({ ...base, pooling: 'mean' }, options)).toBe(256);
    expect(maxChunkTexts({ ...base, pooling: 'none' }, options)).toBe(10);
    expect(maxChunkTexts({ ...base, pooling: 'none', dimensions: 65_536 }, options)).toBe(1);
    expect(maxChunkTexts({ ...base, pooling: 'none' }, { ...options, dtype: 'int8' })).toBe(42);
    expect(maxChunkTexts({ ...base, pooling: 'none' }, { ...options, dimensions: 96 })).toBe(85);
  });
});
