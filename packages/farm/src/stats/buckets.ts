import type { Histogram } from './minute-stats.ts';

/** Numbers as counts by bucket: bucket 0 ends at the first edge, the last one never. */
export interface Buckets {
  /** Upper edges, rising; the last is Infinity. */
  readonly edges: readonly number[];
  /** The bucket of a number; one that is none counts as 0. */
  indexOf(value: number): number;
}

/** Edges to the octave: a percentile read from it is at most 19 % off. */
const LATENCY_STEPS = 4;
/** 2^19.25 ms, just above 10 minutes. */
const LATENCY_LAST = 77;
/** Two edges to the octave hit 128, 256 and 512, where models cut texts. */
const LENGTH_STEPS = 2;
const LENGTH_LAST = 34;
const FILL_STEP_PERCENT = 10;

/** From 1 ms to 10 min. */
export const LATENCY_MS: Buckets = octaves(LATENCY_STEPS, LATENCY_LAST, (edge) => edge);

/** From 1 token to 131,072; edges are whole, as tokens are. */
export const LENGTH_TOKENS: Buckets = octaves(LENGTH_STEPS, LENGTH_LAST, Math.floor);

/** Tenths of a device's budget. A text that is longer than the budget runs all the same, alone. */
export const FILL_PERCENT: Buckets = {
  edges: Array.from({ length: 100 / FILL_STEP_PERCENT }, (_, index) => (index + 1) * FILL_STEP_PERCENT),
  indexOf: (percent) => clamp(Math.ceil(percent / FILL_STEP_PERCENT) - 1, 100 / FILL_STEP_PERCENT - 1),
};

/** Counts by bucket as a histogram: without those that are empty, and those that are none. */
export function toHistogram({ edges }: Buckets, counts: ReadonlyMap<number, number>): Histogram {
  return edges.flatMap((upTo, index) => {
    const count = counts.get(index) ?? 0;
    return count > 0 ? [{ upTo, count }] : [];
  });
}

/** Powers of two with `steps` edges to each, from 1 to `2 ** (last / steps)`, and one bucket beyond. */
function octaves(steps: number, last: number, round: (edge: number) => number): Buckets {
  const edges = Array.from({ length: last + 1 }, (_, index) => round(2 ** (index / steps)));
  return {
    edges: [...edges, Infinity],
    // A whole number on an edge must not slip over it by the last bit of a logarithm.
    indexOf: (value) => (value > 1 ? clamp(Math.ceil(steps * Math.log2(value) - 1e-9), last + 1) : 0),
  };
}

function clamp(index: number, last: number): number {
  return index > 0 ? Math.min(index, last) : 0;
}
