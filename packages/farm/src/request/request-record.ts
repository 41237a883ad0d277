import { FarmError, MAX_REQUEST_CHUNKS, nameSchema, type RedisKeys } from '@embedfarm/contract';
import { z } from 'zod';
import type { FarmRedis } from '../redis/farm-redis.ts';

/** A request that makes no progress is forgotten after this. */
export const REQUEST_TTL_MS = 7 * 24 * 3_600_000;

/**
 * - `filling`: its chunks are still being enqueued.
 * - `queued`: all of it is in Redis, nothing has run.
 * - `running`: a worker has taken a chunk.
 * - `completed`: every chunk is settled, at least one text has its vector.
 * - `failed`: every chunk is settled, no text has a vector.
 * - `cancelled`: taken back; what was done is kept.
 * - `incomplete`: its producer died while filling; what was enqueued is encoded and kept.
 * - `expired`: its results are gone.
 */
export const REQUEST_STATES = [
  'filling',
  'queued',
  'running',
  'completed',
  'failed',
  'cancelled',
  'incomplete',
  'expired',
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

const count = z.coerce.number().int().min(0);
const requestRecordSchema = z.object({
  state: z.enum(REQUEST_STATES),
  clientId: z.string(),
  tenant: z.string().optional(),
  model: nameSchema,
  fingerprint: z.string(),
  lane: z.enum(['interactive', 'bulk']),
  label: z.string().optional(),
  /** Why a producer could not fill it to the end. */
  fault: z.string().optional(),
  /** In Redis so far, or in all where the producer had a list. */
  texts: count,
  chunks: count.max(MAX_REQUEST_CHUNKS),
  chunksSettled: count,
  textsDone: count,
  textsFailed: count,
  textsTruncated: count,
  tokens: count,
  createdAtMs: count,
  startedAtMs: count.optional(),
  updatedAtMs: count,
  /** Set once no chunk is to come any more; a cancelled request may still have one on a device before. */
  endedAtMs: count.optional(),
  /** The results are gone after this. */
  expiresAtMs: count.optional(),
  resultTtlMs: count,
  /** The request that its failed chunks were submitted again as. */
  retriedAs: z.string().optional(),
  webhook: z.string().optional(),
  webhookState: z.enum(['pending', 'delivered', 'given_up']).optional(),
  webhookAttempts: count.optional(),
  webhookError: z.string().optional(),
});
export type RequestRecord = z.output<typeof requestRecordSchema> & { readonly requestId: string };

/** Whether a request has ended: nothing of it changes any more. */
export function hasEnded({ endedAtMs }: Pick<RequestRecord, 'endedAtMs'>): boolean {
  return endedAtMs !== undefined;
}

/**
 * @throws FarmError `result_expired` when there is no such request: it never was, or its time is over.
 */
export async function readRequest(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  nowMs: number,
): Promise<RequestRecord> {
  const record = toRecord(requestId, await redis.hgetall(keys.request(requestId)), nowMs);
  if (record) return record;
  throw new FarmError('result_expired', `there is no request ${requestId}, or none any more`);
}

/** @returns undefined where the fields are no request's. */
export function toRecord(
  requestId: string,
  fields: Record<string, string>,
  nowMs: number,
): RequestRecord | undefined {
  const parsed = requestRecordSchema.safeParse(fields);
  if (!parsed.success) return undefined;
  const { expiresAtMs, state } = parsed.data;
  const hasExpired = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  return { ...parsed.data, requestId, state: hasExpired ? 'expired' : state };
}
