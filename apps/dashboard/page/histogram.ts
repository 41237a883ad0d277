import { FILL_PERCENT, LATENCY_MS, LENGTH_TOKENS } from '@embedfarm/farm/buckets';
import type { Histogram } from '@embedfarm/farm/figures';

/** One column of a histogram, with both its edges. */
export interface Bucket {
  readonly from: number;
  readonly upTo: number;
  readonly count: number;
}

/**
 * Edges as workers count. A histogram tells only buckets that hold something, so these are needed to know where
 * a bucket begins; edges of another version are put between them, and nothing is lost but sharpness.
 */
export const LATENCY_EDGES_MS = LATENCY_MS.edges;
export const LENGTH_EDGES_TOKENS = LENGTH_TOKENS.edges;
export const FILL_EDGES_PERCENT = FILL_PERCENT.edges;

/** The counts of all, by rising edge. JSON has no Infinity: an edge that is null is that. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const { upTo, count } of histograms.flat()) {
    const edge = upTo ?? Number.POSITIVE_INFINITY;
    counts.set(edge, (counts.get(edge) ?? 0) + count);
  }
  return [...counts].toSorted(([left], [right]) => left - right).map(([upTo, count]) => ({ upTo, count }));
}

export function countOf(histogram: Histogram): number {
  return histogram.reduce((sum, { count }) => sum + count, 0);
}

/** A histogram as it was told, with its empty buckets, and where each begins. */
export function bucketsOf(histogram: Histogram, edges: readonly number[]): readonly Bucket[] {
  const counts = new Map(mergeHistograms([histogram]).map(({ upTo, count }) => [upTo, count]));
  const all = [...new Set([...edges, ...counts.keys()])].toSorted((left, right) => left - right);
  return all.map((upTo, index) => ({ from: all[index - 1] ?? 0, upTo, count: counts.get(upTo) ?? 0 }));
}

/** From the first bucket that holds something to the last. */
export function heldBuckets(buckets: readonly Bucket[]): readonly Bucket[] {
  const first = buckets.findIndex(({ count }) => count > 0);
  return first < 0 ? [] : buckets.slice(first, buckets.findLastIndex(({ count }) => count > 0) + 1);
}

/** Within a bucket counts are taken to be spread evenly. Beyond the last finite edge nothing is known but the edge. */
export function quantile(buckets: readonly Bucket[], share: number): number | undefined {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  let left = share * total;
  for (const { from, upTo, count } of buckets) {
    if (count > 0 && left <= count) return upTo === Infinity ? from : from + (upTo - from) * (left / count);
    left -= count;
  }
  return undefined;
}
