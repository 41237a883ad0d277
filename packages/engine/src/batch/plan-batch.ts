export interface BatchLimits {
  /** Most tokens the batch may cost. */
  readonly tokenBudget: number;
  /** `packed`: a batch costs the sum of its lengths. `padded`: it costs `rows × longest row`. */
  readonly graph: 'packed' | 'padded';
}

/** What is in a batch so far. */
export interface BatchShape {
  readonly rows: number;
  /** Real tokens: the sum of the lengths. */
  readonly tokens: number;
  readonly longest: number;
}

export const EMPTY_BATCH: BatchShape = { rows: 0, tokens: 0, longest: 0 };

// A packed graph pads attention alone. Up to twice the real tokens that padding is a few percent of
// the run; a long row among many short ones would make it the most of it.
const MAX_ATTENTION_PADDING = 2;

/**
 * How many of the waiting lengths, from the first one on, join the batch.
 *
 * A packed batch takes a row while the sum of the lengths stays in the budget and
 * `rows × longest ≤ 2 × tokens`; a padded one while `rows × longest` stays in the budget. The first row
 * of a batch is always taken: a lone long sequence must not wait forever.
 */
export function planBatch(
  lengths: Iterable<number>,
  limits: BatchLimits,
  begun: BatchShape = EMPTY_BATCH,
): number {
  let shape = begun;
  let count = 0;
  for (const length of lengths) {
    const grown = addRow(shape, length);
    if (shape.rows > 0 && !fits(grown, limits)) break;
    shape = grown;
    count += 1;
  }
  return count;
}

export function addRow(shape: BatchShape, length: number): BatchShape {
  return {
    rows: shape.rows + 1,
    tokens: shape.tokens + length,
    longest: Math.max(shape.longest, length),
  };
}

function fits({ rows, tokens, longest }: BatchShape, { tokenBudget, graph }: BatchLimits): boolean {
  if (graph === 'padded') return rows * longest <= tokenBudget;
  return tokens <= tokenBudget && rows * longest <= MAX_ATTENTION_PADDING * tokens;
}

// Below this a batch does not pay for its own run: the GEMMs reach their speed at about 64 tokens.
export const MIN_SPLIT_TOKENS = 64;

/**
 * The budget of the next batch when `idleDevices` have nothing to do: little work is split evenly over
 * them instead of filling the first, but into batches of no fewer than 64 tokens.
 */
export function splitBudget(tokenBudget: number, waitingTokens: number, idleDevices: number): number {
  const share = Math.ceil(waitingTokens / Math.max(1, idleDevices));
  return Math.min(tokenBudget, Math.max(MIN_SPLIT_TOKENS, share));
}
