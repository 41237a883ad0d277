import { describe, expect, it } from 'vitest';
import { FILL_PERCENT, LATENCY_MS, LENGTH_TOKENS, toHistogram, type Buckets } from './buckets.ts';

/** The edges around a number: above the one, and not above the other. */
function around(buckets: Buckets, value: number): [number, number] {
  const index = buckets.indexOf(value);
  return [index === 0 ? 0 : (buckets.edges[index - 1] ?? Number.NaN), buckets.edges[index] ?? Number.NaN];
}

describe('buckets', () => {
  it.each([0.001, 1, 1.1, 2, 3, 17.3, 100, 1_000, 1_024, 59_999, 599_999])(
    'hold a latency of %d ms',
    (ms) => {
      const [above, upTo] = around(LATENCY_MS, ms);
      expect(ms).toBeGreaterThan(above);
      expect(ms).toBeLessThanOrEqual(upTo);
      // A quarter of an octave, but for the first.
      expect(upTo / Math.max(above, 2 ** -0.25)).toBeCloseTo(2 ** 0.25);
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 100, 128, 129, 512, 513, 100_000])(
    'hold a text of %d tokens',
    (tokens) => {
      const [above, upTo] = around(LENGTH_TOKENS, tokens);
      expect(tokens).toBeGreaterThan(above);
      expect(tokens).toBeLessThanOrEqual(upTo);
      expect(Number.isInteger(upTo)).toBe(true);
    },
  );

  it('end where models cut texts', () => {
    for (const length of [128, 256, 512, 8_192]) expect(around(LENGTH_TOKENS, length)[1]).toBe(length);
  });

  it.each([
    [0, 10],
    [10, 10],
    [10.1, 20],
    [99.9, 100],
    [100, 100],
    [250, 100],
  ])('hold a fill of %d %%', (percent, upTo) => {
    expect(around(FILL_PERCENT, percent)[1]).toBe(upTo);
  });

  it('take what is none, or beyond all edges', () => {
    for (const buckets of [LATENCY_MS, LENGTH_TOKENS, FILL_PERCENT]) {
      for (const value of [Number.NaN, -1, -Infinity]) expect(buckets.indexOf(value)).toBe(0);
      expect(buckets.indexOf(Infinity)).toBe(buckets.edges.length - 1);
    }
    expect(LATENCY_MS.edges.at(-1)).toBe(Infinity);
  });

  it('become a histogram without those that are empty', () => {
    const counts = new Map([
      [1, 3],
      [2, 0],
      [9, 1],
      [99, 5],
    ]);
    expect(toHistogram(FILL_PERCENT, counts)).toEqual([
      { upTo: 20, count: 3 },
      { upTo: 100, count: 1 },
    ]);
  });
});
