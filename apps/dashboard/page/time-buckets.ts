import type { BoardPoint } from '../src/board-shape.ts';

/** What the switch above the charts over time says. */
export type Range = '5min' | '1h';

export const RANGES: Readonly<Record<Range, { readonly seconds: number; readonly words: string }>> = {
  '5min': { seconds: 300, words: 'the last 5 minutes' },
  '1h': { seconds: 3_600, words: 'the last hour' },
};

export interface TimeBucket {
  /** Where it begins, in s since 1970. */
  readonly second: number;
  /** Those known of it, oldest first. */
  readonly points: readonly BoardPoint[];
}

/**
 * The range in buckets of equal length, the oldest first. They begin at whole multiples, so that a bucket
 * stays the same while it fills; the last one may be unfinished.
 */
export function timeBuckets(
  points: readonly BoardPoint[],
  range: Range,
  bucketSeconds: number,
): readonly TimeBucket[] {
  const newest = points.at(-1)?.second;
  if (newest === undefined) return [];
  const last = newest - (newest % bucketSeconds);
  const first = last + bucketSeconds - RANGES[range].seconds;
  const buckets = Array.from({ length: RANGES[range].seconds / bucketSeconds }, (_, index) => ({
    second: first + index * bucketSeconds,
    points: [] as BoardPoint[],
  }));
  for (const point of points) buckets[Math.floor((point.second - first) / bucketSeconds)]?.points.push(point);
  return buckets;
}

/** Null for a bucket of which nothing is known: a gap, not a zero. */
export function meanOf({ points }: TimeBucket, value: (point: BoardPoint) => number): number | null {
  if (points.length === 0) return null;
  return points.reduce((sum, point) => sum + value(point), 0) / points.length;
}

/** Whether seconds of it are yet to come. */
export function isUnfinished({ points }: TimeBucket, bucketSeconds: number): boolean {
  return points.length < bucketSeconds;
}
