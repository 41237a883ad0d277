import { describe, expect, it } from 'vitest';
import { distanceBucket } from './distance-bucket.ts';

describe('distanceBucket', () => {
  // What MPNetEncoder.relative_position_bucket of transformers gives.
  it.each([
    [0, 0],
    [7, 7],
    [8, 8],
    [11, 8],
    [12, 9],
    [15, 9],
    [16, 10],
    [22, 10],
    [23, 11],
    [31, 11],
    [32, 12],
    [45, 12],
    [46, 13],
    [63, 13],
    [64, 14],
    [90, 14],
    [91, 15],
    [127, 15],
    [128, 15],
    [511, 15],
  ])('of %d places is %d back, and 16 more ahead', (distance, bucket) => {
    expect(distanceBucket(-distance)).toBe(bucket);
    expect(distanceBucket(distance)).toBe(distance === 0 ? 0 : 16 + bucket);
  });
});
