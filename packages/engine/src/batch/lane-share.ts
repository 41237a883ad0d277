/**
 * Bulk's least share of the tokens while both lanes wait. An eighth costs sustained interactive load 12.5 % of its
 * throughput, and a bulk chunk of 256 texts of 40 tokens ends within 82,000 tokens.
 */
export const BULK_SHARE = 1 / 8;

/**
 * Tokens that bulk is owed after a batch: what it got too little of. Kept in tokens, not in turns, so that light
 * interactive load, which leaves bulk most of each batch, never has a batch taken from it. Time in which no bulk waits
 * earns nothing, and what bulk got beyond its share is not held against it.
 *
 * While bulk waits, and is given its first sequence as soon as that much is owed, bulk has at the end of every run of
 * batches at least an eighth of their tokens, less its longest sequence and an eighth of the largest batch.
 */
export function owedAfter(
  owed: number,
  { tokens, bulkTokens }: { readonly tokens: number; readonly bulkTokens: number },
  bulkWaits: boolean,
): number {
  return bulkWaits ? Math.max(0, owed + tokens * BULK_SHARE - bulkTokens) : 0;
}

/**
 * Whether interactive texts go without bulk beside them, though there is room: they would wait for its rows, which take
 * most of a batch's time. Bulk has had half a budget since the last time, so what it loses is the fixed cost of a small
 * batch for each of its own at most. Interactive texts of more than half a budget are worth a batch anyway, and take bulk
 * along.
 */
export function goesAlone(
  { interactiveTokens, bulkSince }: { readonly interactiveTokens: number; readonly bulkSince: number },
  { tokenBudget }: { readonly tokenBudget: number },
): boolean {
  return interactiveTokens > 0 && interactiveTokens * 2 <= tokenBudget && bulkSince * 2 >= tokenBudget;
}
