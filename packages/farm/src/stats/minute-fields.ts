import { LANES, type FarmErrorCode, type Lane } from '@embedfarm/contract';
import { FILL_PERCENT, LATENCY_MS, LENGTH_TOKENS, type Buckets } from './buckets.ts';

/** Minutes are kept for 7 days. */
export const MINUTE_TTL_S = 7 * 24 * 3_600;

/**
 * Names of the fields of a minute's hash. All are counts that only grow: workers and clients add what they know.
 * Times are in microseconds, so that a chunk of half a millisecond counts.
 */
export const MINUTE_FIELDS = {
  lanes: byLane((lane) => ({
    texts: `${lane}:texts`,
    tokens: `${lane}:tokens`,
    failed: `${lane}:failed`,
    chunks: `${lane}:chunks`,
    queueUs: `${lane}:queueUs`,
    tokenizeUs: `${lane}:tokenizeUs`,
    batchWaitUs: `${lane}:batchWaitUs`,
    deviceUs: `${lane}:deviceUs`,
    storeUs: `${lane}:storeUs`,
    replyUs: `${lane}:replyUs`,
    replies: `${lane}:replies`,
    latency: bucketFields(`${lane}:ms`, LATENCY_MS),
  })),
  batches: 'batches',
  batchTokens: 'batchTokens',
  slotTokens: 'slotTokens',
  budgetTokens: 'budgetTokens',
  fill: bucketFields('fill', FILL_PERCENT),
  lengths: bucketFields('length', LENGTH_TOKENS),
  truncated: 'truncated',
  cacheLookups: 'cacheLookups',
  cacheHits: 'cacheHits',
  /** Not a sum: the most that were counted in a second. */
  clients: 'clients',
} as const;

/** Texts without a vector; a model's name holds no colon. */
export function failedField(code: FarmErrorCode, model: string): string {
  return `failed:${code}:${model}`;
}

function byLane<Value>(make: (lane: Lane) => Value): Record<Lane, Value> {
  return Object.fromEntries(LANES.map((lane) => [lane, make(lane)])) as Record<Lane, Value>;
}

function bucketFields(name: string, { edges }: Buckets): readonly string[] {
  return edges.map((_, index) => `${name}:${index}`);
}
