import type { Bucket } from './histogram.ts';

/** Columns to the left of a value, with the part of its own; a value beyond them all stands at their end. */
export function placeOf(buckets: readonly Bucket[], value: number): number {
  const index = buckets.findIndex(({ upTo }) => value <= upTo);
  const bucket = buckets[index];
  if (!bucket) return buckets.length;
  return bucket.upTo === Infinity ? index : index + (value - bucket.from) / (bucket.upTo - bucket.from);
}
