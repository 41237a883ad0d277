import { describe, expect, it } from 'vitest';
import { medianTree } from './median-tree.ts';
import { latencyOf, median, percentile } from './percentile.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('percentile', () => {
  it('is the smallest value that the share does not exceed', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('sums a list of calls up', () => {
    expect(latencyOf(hundred)).toEqual({ calls: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99 });
  });
});

describe('median', () => {
  it('is the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('is taken of each number of a tree by itself', () => {
    const trees = [1, 5, 3].map((value) => ({ name: 'same', deep: { value, minus: -value } }));
    expect(medianTree(trees)).toEqual({ name: 'same', deep: { value: 3, minus: -3 } });
  });
});
