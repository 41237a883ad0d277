import { joinSequences, type SequenceBatch } from '../batch/sequence-batch.ts';
import { planBatch, type BatchLimits } from '../batch/plan-batch.ts';
import { windowTextsFor } from '../batch/seat-limits.ts';

// Texts of the web: lognormal lengths with a median of 24 tokens and a 99th percentile of 200, mean 36. The
// benchmark measures with the same mix.
const MEDIAN_TOKENS = 24;
const P99_TOKENS = 200;
const MIN_TOKENS = 3;

export interface TypicalBatchOptions extends BatchLimits {
  readonly maxSequenceLength: number;
  /** What the sequences are made of. */
  readonly tokenId: number;
}

/**
 * The batch that a window of typical texts gives a budget: sorted by length and cut as the waiting line does,
 * the one in which half of the window's tokens are passed.
 */
export function typicalBatch(options: TypicalBatchOptions): SequenceBatch {
  let lengths = sortedLengths(windowTextsFor([options.tokenBudget]), options.maxSequenceLength);
  const half = sum(lengths) / 2;
  let passed = 0;
  for (;;) {
    const batch = lengths.slice(0, planBatch(lengths, options));
    passed += sum(batch);
    if (passed >= half)
      return joinSequences(batch.map((length) => new Int32Array(length).fill(options.tokenId)));
    lengths = lengths.slice(batch.length);
  }
}

/** Quantiles of the mix, upwards. */
function sortedLengths(texts: number, maxSequenceLength: number): number[] {
  const deviation = Math.log(P99_TOKENS / MEDIAN_TOKENS) / normalQuantile(0.99);
  return Array.from({ length: texts }, (_, text) => {
    const length = Math.round(MEDIAN_TOKENS * Math.exp(deviation * normalQuantile((text + 0.5) / texts)));
    return Math.min(maxSequenceLength, Math.max(MIN_TOKENS, length));
  });
}

/**
 * The value below which `share` of a standard normal distribution lies, to 0.0005.
 *
 * Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, formula 26.2.23.
 */
function normalQuantile(share: number): number {
  const t = Math.sqrt(-2 * Math.log(Math.min(share, 1 - share)));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return share < 0.5 ? above / below - t : t - above / below;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
