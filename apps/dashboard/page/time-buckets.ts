import type { BoardPoint, ThinPoint } from '../src/board-shape.ts';

/** One second, or some of them as one. */
export type TimePoint = BoardPoint | ThinPoint;

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
  readonly points: readonly TimePoint[];
}

/**
 * The range in buckets of equal length, the oldest first. They begin at whole multiples, so that a bucket
 * stays the same while it fills; the last one may be unfinished.
 */
export function timeBuckets(
  points: readonly TimePoint[],
  range: Range,
  bucketSeconds: number,
): readonly TimeBucket[] {
  const newest = points.at(-1)?.second;
  if (newest === undefined) return [];
  const last = newest - (newest % bucketSeconds);
  const first = last + bucketSeconds - RANGES[range].seconds;
  const buckets = Array.from({ length: RANGES[range].seconds / bucketSeconds }, (_, index) => ({
    second: first + index * bucketSeconds,
    points: [] as TimePoint[],
  }));
  for (const point of points) buckets[Math.floor((point.second - first) / bucketSeconds)]?.points.push(point);
  return buckets;
}

/** Null for a bucket of which nothing is known: a gap, not a zero. A second of which that is not known counts not. */
export function meanOf({ points }: TimeBucket, value: (point: TimePoint) => number | null): number | null {
  let [sum, seconds] = [0, 0];
  for (const point of points) {
    const one = value(point);
    if (one === null) continue;
    sum += one * secondsOf(point);
    seconds += secondsOf(point);
  }
  return seconds === 0 ? null : sum / seconds;
}

/** Seconds that a point stands for. */
export function secondsOf(point: TimePoint): number {
  return 'seconds' in point ? point.seconds : 1;
}

/** What nobody looked at for a moment is as it was before; a gap of more than `most` stays one from there on. */
export function heldOver(values: readonly (number | null)[], most = 5): readonly (number | null)[] {
  let [last, age] = [null as number | null, 0];
  return values.map((value) => {
    age = value === null ? age + 1 : 0;
    last = value ?? (age > most ? null : last);
    return last;
  });
}

/** Whether seconds of it are yet to come. */
export function isUnfinished({ points }: TimeBucket, bucketSeconds: number): boolean {
  return points.reduce((seconds, point) => seconds + secondsOf(point), 0) < bucketSeconds;
}
