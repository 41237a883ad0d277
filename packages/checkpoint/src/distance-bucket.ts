/** Kinds of distance that have a bias of their own: half of them for what stands behind, half for what is ahead. */
export const DISTANCE_BUCKETS = 32;

/**
 * Where the bias of a key stands that is `distance` slots ahead of its query: 8 short distances have a bucket
 * each, longer ones share 8 whose width grows, and from 91 on all are in the last.
 *
 * Source: Raffel et al., "T5", 2019 (https://arxiv.org/abs/1910.10683), section 2.1.
 */
export function distanceBucket(distance: number): number {
  const side = distance > 0 ? DISTANCE_BUCKETS / 2 : 0;
  const length = Math.abs(distance);
  if (length < 8) return side + length;
  // The papers' 8 + floor(8 * log(length / 8) / log(128 / 8)) is 8 + floor(log2(length² / 64)); in integers
  // nothing is rounded.
  const octave = 31 - Math.clz32((length * length) >> 6);
  return side + Math.min(15, 8 + octave);
}
