import { encodeJobId, type RedisKeys } from '@embedfarm/contract';
import type { EncodeQueue } from '../queue/encode-queue.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { END_REQUEST_LUA } from './end-request.ts';
import type { RequestRecord } from './request-record.ts';
import { requestScriptKeys } from './request-script-keys.ts';

/** Waiting jobs that are taken away with one round trip. */
const SLICE_CHUNKS = 256;

/**
 * The tombstone: chunks that have not begun are settled as cancelled by whoever meets them, and nothing is added.
 * A lone awaited chunk has no record, so one is made of the state alone, for as long as its job may live.
 * KEYS as requestScriptKeys; ARGV request id, tombstone TTL; 0 makes none.
 * Returns the state after, nil where there is no request.
 */
const cancelScript = new RedisScript(`#!lua flags=allow-oom
${END_REQUEST_LUA}
local record = redis.call('HMGET', KEYS[1], 'state', 'chunksEnqueued', 'textsEnqueued', 'chunksPlanned')
local state = record[1]
if not state then
  if ARGV[2] == '0' then return nil end
  redis.call('HSET', KEYS[1], 'state', 'cancelled')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 'cancelled'
end
if state == 'filling' then
  -- Chunks on their way may be counted already: up to the last of these, all are the request's.
  local chunks, texts = tonumber(record[2]), tonumber(record[3])
  for chunk = tonumber(record[4]) - 1, chunks, -1 do
    local starts = redis.call('GETRANGE', KEYS[3], 4 * chunk + 4, 4 * chunk + 7)
    if #starts == 4 and redis.call('GETBIT', KEYS[2], chunk) == 1 then
      chunks, texts = chunk + 1, struct.unpack('>I4', starts)
      break
    end
  end
  redis.call('HSET', KEYS[1], 'chunks', chunks, 'texts', texts)
end
if state == 'filling' or state == 'queued' or state == 'running' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'state', 'cancelled', 'sealed', 1, 'updatedAtMs', now)
  followRecord(KEYS[7], KEYS[1], ARGV[1])
  endRequest(ARGV[1])
  return 'cancelled'
end
return state`);

/** Sets the tombstone and tells the workers, as a hint. @returns the state after; undefined for no such request. */
export async function buryRequest(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  { tombstoneTtlMs = 0 }: { tombstoneTtlMs?: number } = {},
): Promise<string | undefined> {
  const args = [requestId, Math.round(tombstoneTtlMs)];
  const state = await cancelScript.run(redis, requestScriptKeys(keys, requestId), args);
  if (state === 'cancelled') await redis.publish(keys.cancel, requestId);
  return typeof state === 'string' ? state : undefined;
}

/**
 * Settles chunks of a cancelled request whose job is gone: taken away before it began. A chunk that a worker has
 * is the worker's to settle. Safe to call again, and by several: each chunk's bit is set once.
 * KEYS as requestScriptKeys, job prefix; ARGV request id, first chunk, chunk after the last.
 * Returns how many were settled.
 */
const settleGoneScript = new RedisScript(`#!lua flags=allow-oom
${END_REQUEST_LUA}
local record = redis.call('HMGET', KEYS[1], 'state', 'chunks')
if record[1] ~= 'cancelled' or not record[2] then return 0 end
local settled = 0
-- Jobs after its last chunk were added too late, and count for nothing.
for chunk = tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), tonumber(record[2])) - 1 do
  if redis.call('GETBIT', KEYS[2], chunk) == 0
    and redis.call('EXISTS', KEYS[8] .. ARGV[1] .. '.' .. chunk) == 0 then
    redis.call('SETBIT', KEYS[2], chunk, 1)
    settled = settled + 1
  end
end
if settled > 0 then
  redis.call('HINCRBY', KEYS[1], 'chunksSettled', settled)
  redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
end
endRequest(ARGV[1])
return settled`);

/** Takes the waiting jobs of a cancelled request away. What dies here half way is taken up by requestTender. */
export async function removeChunks(
  redis: FarmRedis,
  keys: RedisKeys,
  queue: EncodeQueue,
  { requestId, model, lane, chunks }: Pick<RequestRecord, 'requestId' | 'model' | 'lane' | 'chunks'>,
): Promise<void> {
  for (let from = 0; from < chunks; from += SLICE_CHUNKS) {
    const to = Math.min(from + SLICE_CHUNKS, chunks);
    await queue.remove(Array.from({ length: to - from }, (_, index) => encodeJobId(requestId, from + index)));
    await settleGoneScript.run(
      redis,
      [...requestScriptKeys(keys, requestId), keys.jobPrefix(model, lane)],
      [requestId, from, to],
    );
  }
}
