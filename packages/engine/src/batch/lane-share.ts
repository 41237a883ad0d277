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
