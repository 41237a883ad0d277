import { FarmError, type EncodeOptions, type Lane, type RedisKeys } from '@embedfarm/contract';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ANNOUNCE_END_LUA } from '../webhook/announce-end.ts';
import { RedisScript } from './redis-script.ts';

/** A request that makes no progress is forgotten after this. */
export const REQUEST_TTL_MS = 7 * 24 * 3_600_000;

/**
 * - `filling`: its chunks are still being enqueued.
 * - `queued`: all of it is in Redis, nothing has run.
 * - `running`: a worker has taken a chunk.
 * - `completed`: every chunk is settled, at least one text has its vector.
 * - `failed`: every chunk is settled, no text has a vector.
 * - `cancelled`: taken back; what was done is kept.
 * - `incomplete`: its producer died while filling; what is stored is kept.
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

/** States that no chunk changes any more. */
export function hasEnded(state: RequestState): boolean {
  return !['filling', 'queued', 'running'].includes(state);
}

const count = z.coerce.number().int().min(0);
const requestRecordSchema = z.object({
  state: z.enum(REQUEST_STATES),
  model: z.string(),
  fingerprint: z.string(),
  lane: z.enum(['interactive', 'bulk']),
  label: z.string().optional(),
  texts: count,
  chunks: count,
  chunksSettled: count,
  textsDone: count,
  textsFailed: count,
  tokens: count,
  createdAtMs: count,
  startedAtMs: count.optional(),
  updatedAtMs: count,
  endedAtMs: count.optional(),
  resultTtlMs: count,
  webhook: z.string().optional(),
  webhookState: z.enum(['pending', 'delivered', 'given_up']).optional(),
  webhookAttempts: count.optional(),
  webhookError: z.string().optional(),
});
export type RequestRecord = z.output<typeof requestRecordSchema>;

/** What a producer says of a request before it enqueues the first chunk. */
export interface NewRequest {
  readonly requestId: string;
  readonly clientId: string;
  readonly tenant: string | undefined;
  readonly model: string;
  readonly fingerprint: string;
  readonly lane: Lane;
  readonly label: string | undefined;
  /** Where its end is posted to. */
  readonly webhook: string | undefined;
  readonly options: EncodeOptions;
  readonly texts: number;
  readonly chunks: number;
  readonly resultTtlMs: number;
  /** Whether `requests` names it; awaited calls are nobody else's business. */
  readonly listed: boolean;
}

/** KEYS request, requests; ARGV request id, listed, TTL, then fields and values. */
const openScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'createdAtMs', now, 'updatedAtMs', now, unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[2] == '1' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]))
  redis.call('ZADD', KEYS[2], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return 1`);

export async function openRequest(redis: Redis, keys: RedisKeys, request: NewRequest): Promise<void> {
  const fields: Record<string, string | number | undefined> = {
    state: 'filling',
    sealed: 0,
    clientId: request.clientId,
    tenant: request.tenant,
    model: request.model,
    fingerprint: request.fingerprint,
    lane: request.lane,
    label: request.label,
    webhook: request.webhook,
    options: JSON.stringify(request.options),
    texts: request.texts,
    chunks: request.chunks,
    chunksSettled: 0,
    textsDone: 0,
    textsFailed: 0,
    tokens: 0,
    resultTtlMs: request.resultTtlMs,
  };
  const pairs = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  await openScript.run(
    redis,
    [keys.request(request.requestId), keys.requests],
    [request.requestId, request.listed ? 1 : 0, REQUEST_TTL_MS, ...pairs],
  );
}

/**
 * Ends a request whose last chunk is settled: its state, and a last time to live for all of it.
 * Part of the scripts that settle a chunk and seal a request, so no death between leaves it open.
 */
export const END_REQUEST_LUA = `
${ANNOUNCE_END_LUA}
local function endRequest(request, bits, resultPrefix, id, webhooksDue)
  local record = redis.call('HMGET', request, 'state', 'sealed', 'chunks', 'chunksSettled', 'textsDone', 'endedAtMs', 'resultTtlMs')
  local state = record[1]
  if not state or record[6] or record[2] ~= '1' then return end
  if tonumber(record[4]) < tonumber(record[3]) then return end
  local time = redis.call('TIME')
  if state ~= 'cancelled' then
    state = tonumber(record[5]) > 0 and 'completed' or 'failed'
  end
  redis.call('HSET', request, 'state', state, 'endedAtMs', time[1] * 1000 + math.floor(time[2] / 1000))
  announceEnd(webhooksDue, request, id)
  redis.call('PEXPIRE', request, record[7])
  redis.call('PEXPIRE', bits, record[7])
  for chunk = 0, tonumber(record[3]) - 1 do
    redis.call('PEXPIRE', resultPrefix .. id .. '.' .. chunk, record[7])
  end
end`;

/** KEYS request, request-bits, result prefix, webhooks-due; ARGV request id. Returns 1, or 0 when there is no such request. */
const sealScript = new RedisScript(`
${END_REQUEST_LUA}
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 0 end
redis.call('HSET', KEYS[1], 'sealed', 1)
if state == 'filling' then
  local started = redis.call('HEXISTS', KEYS[1], 'startedAtMs') == 1
  redis.call('HSET', KEYS[1], 'state', started and 'running' or 'queued')
end
endRequest(KEYS[1], KEYS[2], KEYS[3], ARGV[1], KEYS[4])
return 1`);

/** Says that all chunks are enqueued. */
export async function sealRequest(redis: Redis, keys: RedisKeys, requestId: string): Promise<void> {
  await sealScript.run(
    redis,
    [keys.request(requestId), keys.requestBits(requestId), keys.resultPrefix, keys.webhooksDue],
    [requestId],
  );
}

/**
 * The tombstone: chunks that have not begun are settled as cancelled by whoever meets them.
 * A lone awaited chunk has no record, so one is made of the state alone, for as long as its job may live.
 * KEYS request; ARGV tombstone TTL. Returns the state after.
 */
const cancelScript = new RedisScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if not state then
  redis.call('HSET', KEYS[1], 'state', 'cancelled')
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return 'cancelled'
end
if state == 'filling' or state == 'queued' or state == 'running' then
  redis.call('HSET', KEYS[1], 'state', 'cancelled')
  return 'cancelled'
end
return state`);

/** Sets the tombstone and tells the workers, as a hint. */
export async function cancelRequest(
  redis: Redis,
  keys: RedisKeys,
  requestId: string,
  tombstoneTtlMs: number,
): Promise<void> {
  await cancelScript.run(redis, [keys.request(requestId)], [Math.max(1, Math.round(tombstoneTtlMs))]);
  await redis.publish(keys.cancel, requestId);
}

/**
 * @throws FarmError `result_expired` when there is no such request: it never was, or its time is over.
 */
export async function readRequest(redis: Redis, keys: RedisKeys, requestId: string): Promise<RequestRecord> {
  const parsed = requestRecordSchema.safeParse(await redis.hgetall(keys.request(requestId)));
  if (parsed.success) return parsed.data;
  throw new FarmError('result_expired', `there is no request ${requestId}, or none any more`);
}
