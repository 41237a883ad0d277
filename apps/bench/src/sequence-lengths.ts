import { seededRandom, shuffle } from '@embedfarm/testkit/seeded-random';

export const WORKLOADS = ['mix', 'uniform-40'] as const;
/**
 * - `mix`: lognormal lengths, median 24 tokens, 99th percentile 200, cut at 512; the mean is about 36.
 * - `uniform-40`: 40 tokens each.
 */
export type WorkloadName = (typeof WORKLOADS)[number];
/** Any number of tokens, the same in each text. */
export type LengthsName = 'mix' | `uniform-${number}`;

const MEDIAN_TOKENS = 24;
const P99_TOKENS = 200;
// Two special tokens and a word; and what BERT takes.
const MIN_TOKENS = 3;
const MAX_TOKENS = 512;
// 99 % of a normal distribution lie below 2.326 deviations.
const DEVIATION = Math.log(P99_TOKENS / MEDIAN_TOKENS) / 2.326;

/**
 * A block of this many texts holds one draw from each of as many equal parts of the distribution, in random
 * order. So a few seconds of single texts and a call of thousands see the same lengths, and their texts/s
 * can be compared: with free draws the mean of 500 texts is off by 5 % (1 standard deviation).
 */
export const BLOCK_TEXTS = 64;

/** Wanted sequence lengths, special tokens included. */
export function sequenceLengths(name: LengthsName, texts: number, seed: number): number[] {
  if (name !== 'mix') {
    const length = Number(name.slice('uniform-'.length));
    return Array.from({ length: texts }, () => length);
  }
  const random = seededRandom(seed);
  const lengths: number[] = [];
  while (lengths.length < texts) {
    const block = Array.from({ length: BLOCK_TEXTS }, (_, part) =>
      lognormalLength((part + random()) / BLOCK_TEXTS),
    );
    lengths.push(...shuffle(block, random));
  }
  return lengths.slice(0, texts);
}

function lognormalLength(share: number): number {
  const length = Math.round(MEDIAN_TOKENS * Math.exp(DEVIATION * normalQuantile(share)));
  return Math.min(MAX_TOKENS, Math.max(MIN_TOKENS, length));
}

/**
 * The value below which `share` of a standard normal distribution lies, to 0.0005.
 *
 * Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, formula 26.2.23.
 */
function normalQuantile(share: number): number {
  const tail = Math.max(Math.min(share, 1 - share), Number.EPSILON);
  const t = Math.sqrt(-2 * Math.log(tail));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  const value = t - above / below;
  return share < 0.5 ? -value : value;
}
