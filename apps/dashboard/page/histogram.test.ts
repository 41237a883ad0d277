import { describe, expect, it } from 'vitest';
import { placeOf } from './bucket-place.ts';
import {
  bucketsOf,
  countOf,
  heldBuckets,
  LATENCY_EDGES_MS,
  LENGTH_EDGES_TOKENS,
  mergeHistograms,
  quantile,
} from './histogram.ts';

const EDGES = [1, 2, 4, 8];

describe('a histogram', () => {
  it('is the sum of minutes, by rising edge', () => {
    const merged = mergeHistograms([
      [
        { upTo: 4, count: 2 },
        { upTo: 8, count: 1 },
      ],
      [
        { upTo: 2, count: 5 },
        { upTo: 4, count: 1 },
      ],
    ]);
    expect(merged).toEqual([
      { upTo: 2, count: 5 },
      { upTo: 4, count: 3 },
      { upTo: 8, count: 1 },
    ]);
    expect(countOf(merged)).toBe(9);
  });

  it('has its last edge back, which JSON cannot say', () => {
    const told = JSON.parse('[{"upTo":null,"count":3}]') as { upTo: number; count: number }[];
    expect(mergeHistograms([told])).toEqual([{ upTo: Infinity, count: 3 }]);
    const buckets = bucketsOf(told, LATENCY_EDGES_MS);
    expect(buckets.at(-1)).toEqual({ from: LATENCY_EDGES_MS.at(-2), upTo: Infinity, count: 3 });
    // Above ten minutes, and not none.
    expect(quantile(buckets, 0.5)).toBeGreaterThan(600_000);
  });

  it('knows where a bucket begins, also after an empty one', () => {
    expect(bucketsOf([{ upTo: 8, count: 3 }], EDGES).at(-1)).toEqual({ from: 4, upTo: 8, count: 3 });
    // Of a farm that counts otherwise.
    expect(bucketsOf([{ upTo: 6, count: 3 }], EDGES)).toContainEqual({ from: 4, upTo: 6, count: 3 });
  });

  it('is shown from its first text to its last', () => {
    const buckets = bucketsOf(
      [
        { upTo: 2, count: 1 },
        { upTo: 8, count: 1 },
      ],
      [...EDGES, 16],
    );
    expect(heldBuckets(buckets).map(({ upTo, count }) => [upTo, count])).toEqual([
      [2, 1],
      [4, 0],
      [8, 1],
    ]);
    expect(heldBuckets(bucketsOf([], EDGES))).toEqual([]);
  });

  it('has edges where models cut', () => {
    expect(LENGTH_EDGES_TOKENS).toEqual(expect.arrayContaining([128, 256, 512]));
  });
});

describe('a percentile', () => {
  const buckets = bucketsOf(
    [
      { upTo: 2, count: 50 },
      { upTo: 8, count: 50 },
    ],
    EDGES,
  );

  it('lies within its bucket as far as its rank does', () => {
    expect(quantile(buckets, 0.25)).toBe(1.5);
    expect(quantile(buckets, 0.5)).toBe(2);
    expect(quantile(buckets, 0.75)).toBe(6);
    expect(quantile(buckets, 1)).toBe(8);
  });

  it('of nothing is none', () => {
    expect(quantile(bucketsOf([], EDGES), 0.5)).toBeUndefined();
  });

  it('beyond the last edge is that edge, as more is not known', () => {
    expect(quantile(bucketsOf([{ upTo: Infinity, count: 1 }], EDGES), 0.95)).toBe(8);
  });
});

describe('a value among columns', () => {
  const buckets = bucketsOf([], EDGES);

  it.each([
    [4, 3],
    [6, 3.5],
    [8, 4],
    [100, 4],
  ])('%d stands at %d', (value, place) => {
    expect(placeOf(buckets, value)).toBe(place);
  });
});
