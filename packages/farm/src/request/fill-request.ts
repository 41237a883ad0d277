import type { EncodeOptions, RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { SET_LEASE_LUA } from '../redis/lease-lua.ts';
import { CLIENT_TTL_MS } from '../redis/presence.ts';
import { END_REQUEST_LUA } from './end-request.ts';
import { REQUEST_TTL_MS, type RequestState } from './request-record.ts';
import { requestScriptKeys, type RequestQueue } from './request-script-keys.ts';

/** Why a request that nobody fills any more is incomplete. */
export const PRODUCER_DIED = 'its producer ended before all of it was in the farm';
/**
 * A client that is not heard of has this long yet: after Redis was away, workers may be back before it. Connections
 * come back within 300 ms.
 */
const LAST_CHANCE_MS = 2_000;
/** Whoever found it silent longer ago than this, and came no more, says nothing of now. */
const CHANCE_TTL_MS = 4 * CLIENT_TTL_MS;

/** What a producer says of a request before it enqueues the first chunk. */
export interface NewRequest extends RequestQueue {
  readonly requestId: string;
  readonly clientId: string;
  readonly tenant: string | undefined;
  readonly fingerprint: string;
  readonly label: string | undefined;
  /** Where its end is posted to. */
  readonly webhook: string | undefined;
  readonly options: EncodeOptions;
  /** Of a list; undefined for an iterable, which tells as it goes. */
  readonly size: { readonly texts: number; readonly chunks: number } | undefined;
  readonly resultTtlMs: number;
  /** For who waits for it later, where its producer traces it. */
  readonly trace?: string | undefined;
}

/** KEYS request, requests, open requests; ARGV request id, TTL, then fields and values. */
const openScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'createdAtMs', now, 'updatedAtMs', now, unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
-- Of the open ones those go that have ended, or are gone: see tendRequests.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[2]))
for i = 2, 3 do
  redis.call('ZADD', KEYS[i], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return 1`);

/** Makes the record, in state `filling`. */
export async function openRequest(redis: FarmRedis, keys: RedisKeys, request: NewRequest): Promise<void> {
  const { size } = request;
  const fields: Record<string, string | number | undefined> = {
    state: 'filling' satisfies RequestState,
    sealed: 0,
    clientId: request.clientId,
    tenant: request.tenant,
    model: request.model,
    fingerprint: request.fingerprint,
    lane: request.lane,
    label: request.label,
    webhook: request.webhook,
    options: JSON.stringify(request.options),
    texts: size?.texts ?? 0,
    chunks: size?.chunks ?? 0,
    openEnded: size === undefined ? 1 : 0,
    chunksEnqueued: 0,
    textsEnqueued: 0,
    chunksPlanned: 0,
    chunksSettled: 0,
    textsDone: 0,
    textsFailed: 0,
    textsTruncated: 0,
    tokens: 0,
    resultTtlMs: request.resultTtlMs,
    trace: request.trace,
  };
  const pairs = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  await openScript.run(
    redis,
    [keys.request(request.requestId), keys.requests, keys.openRequests],
    [request.requestId, REQUEST_TTL_MS, ...pairs],
  );
}

/** KEYS request, requests, open requests, admission; ARGV request id. */
const forgetScript = new RedisScript(`#!lua flags=allow-oom
${SET_LEASE_LUA}
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
setLease(KEYS[4], 'r:' .. ARGV[1], 0, 0)
return 1`);

/** Takes back a record that no chunk was enqueued for, and its room, which may have been given unheard. */
export async function forgetRequest(redis: FarmRedis, keys: RedisKeys, requestId: string): Promise<void> {
  await forgetScript.run(
    redis,
    [keys.request(requestId), keys.requests, keys.openRequests, keys.admission],
    [requestId],
  );
}

/**
 * What is in the queue, and what comes next. A producer that dies between the two leaves a range of chunks whose
 * jobs may be there or not; who ends the request in its place looks (see abandonScript).
 * KEYS request, starts, open requests; ARGV chunks enqueued, texts enqueued, chunks planned, their starts from the first planned
 * one on and the end of the last, TTL. Returns the state, nil when the record is gone.
 */
const planScript = new RedisScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'filling' then return state end
redis.call('HSET', KEYS[1], 'chunksEnqueued', ARGV[1], 'textsEnqueued', ARGV[2], 'chunksPlanned', ARGV[3])
if redis.call('HGET', KEYS[1], 'openEnded') == '1' then
  redis.call('HSET', KEYS[1], 'chunks', ARGV[1], 'texts', ARGV[2])
end
redis.call('SETRANGE', KEYS[2], 4 * tonumber(ARGV[1]), ARGV[4])
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return state`);

export interface RequestFill {
  /** Chunks and texts that are in the queue. */
  readonly chunks: number;
  readonly texts: number;
  /** First text of each chunk that comes next, and the end of the last: one number more than chunks. */
  readonly nextStarts: readonly number[];
}

/** @returns the request's state: anything but `filling` means that no more is wanted. */
export async function planChunks(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  { chunks, texts, nextStarts }: RequestFill,
): Promise<RequestState | undefined> {
  const starts = Buffer.alloc(4 * nextStarts.length);
  for (const [index, start] of nextStarts.entries()) starts.writeUInt32BE(start, 4 * index);
  const state = await planScript.run(
    redis,
    [keys.request(requestId), keys.requestStarts(requestId), keys.openRequests],
    [chunks, texts, chunks + nextStarts.length - 1, starts, REQUEST_TTL_MS],
  );
  return (state ?? undefined) as RequestState | undefined;
}

/**
 * Sealed by its producer already, it says `filling` again: the answer may have been lost with a connection, and the
 * question asked a second time.
 * KEYS as requestScriptKeys; ARGV request id, chunks, texts. Returns the state, nil when the record is gone.
 */
const sealScript = new RedisScript(`
${END_REQUEST_LUA}
local record = redis.call('HMGET', KEYS[1], 'state', 'sealed', 'abandoned')
local state = record[1]
if record[2] == '1' and not record[3] and state ~= 'cancelled' then return 'filling' end
if state ~= 'filling' then return state end
local started = redis.call('HEXISTS', KEYS[1], 'startedAtMs') == 1
redis.call('HSET', KEYS[1], 'sealed', 1, 'state', started and 'running' or 'queued',
  'chunks', ARGV[2], 'texts', ARGV[3], 'chunksEnqueued', ARGV[2], 'textsEnqueued', ARGV[3])
endRequest(ARGV[1])
return 'filling'`);

/** Says that all chunks are enqueued. @returns the state before: anything but `filling` means that it was ended. */
export async function sealRequest(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  { chunks, texts }: { chunks: number; texts: number },
): Promise<RequestState | undefined> {
  const args = [requestId, chunks, texts];
  const state = await sealScript.run(redis, requestScriptKeys(keys, requestId), args);
  return (state ?? undefined) as RequestState | undefined;
}

/**
 * A request that nobody fills any more: what is enqueued is all there will be, and it ends `incomplete`. A client has to
 * be found silent twice for that. Chunks that were on their way are there up to the first one that is not: they are added in order.
 * KEYS as requestScriptKeys, clients, job prefix
 * ARGV request id, client TTL, whether only a dead client's, fault, last chance, its TTL
 * Returns 1 when it was abandoned by this call.
 */
const abandonScript = new RedisScript(`#!lua flags=allow-oom
${END_REQUEST_LUA}
local record = redis.call('HMGET', KEYS[1], 'state', 'clientId', 'chunksEnqueued', 'chunksPlanned', 'startedAtMs',
  'silentAtMs')
if record[1] ~= 'filling' then return 0 end
if ARGV[3] == '1' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local heard = redis.call('ZSCORE', KEYS[8], record[2])
  if heard and tonumber(heard) > now - tonumber(ARGV[2]) then
    if record[6] then redis.call('HDEL', KEYS[1], 'silentAtMs') end
    return 0
  end
  local silentForMs = now - tonumber(record[6] or 0)
  if silentForMs > tonumber(ARGV[6]) then redis.call('HSET', KEYS[1], 'silentAtMs', now) end
  if silentForMs > tonumber(ARGV[6]) or silentForMs < tonumber(ARGV[5]) then return 0 end
end
local chunks = tonumber(record[3])
while chunks < tonumber(record[4]) do
  local isThere = redis.call('GETBIT', KEYS[2], chunks) == 1
    or redis.call('EXISTS', KEYS[9] .. ARGV[1] .. '.' .. chunks) == 1
  if not isThere then break end
  chunks = chunks + 1
end
local texts = 0
local starts = redis.call('GETRANGE', KEYS[3], 4 * chunks, 4 * chunks + 3)
if chunks > 0 and #starts == 4 then texts = struct.unpack('>I4', starts) end
redis.call('HSET', KEYS[1], 'abandoned', 1, 'sealed', 1, 'fault', ARGV[4], 'chunks', chunks, 'texts', texts,
  'state', record[5] and 'running' or 'queued')
endRequest(ARGV[1])
return 1`);

/**
 * Ends the filling of a request in its producer's place.
 *
 * @param onlyOfTheDead leaves it alone while its client is heard of.
 */
export async function abandonRequest(
  redis: FarmRedis,
  keys: RedisKeys,
  { requestId, ...queue }: RequestQueue & { requestId: string },
  { fault, onlyOfTheDead }: { fault: string; onlyOfTheDead: boolean },
): Promise<boolean> {
  const abandoned = await abandonScript.run(
    redis,
    [...requestScriptKeys(keys, requestId), keys.clients, keys.jobPrefix(queue.model, queue.lane)],
    [requestId, CLIENT_TTL_MS, onlyOfTheDead ? 1 : 0, fault.slice(0, 1_000), LAST_CHANCE_MS, CHANCE_TTL_MS],
  );
  return abandoned === 1;
}
