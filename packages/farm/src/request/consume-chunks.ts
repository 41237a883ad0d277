import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RELEASE_CHUNK_LUA } from '../redis/lease-lua.ts';
import { RedisScript } from '../redis/redis-script.ts';
import type { RequestRecord } from './request-record.ts';

/** Results deleted with one call. */
const CONSUME_CHUNKS = 500;

/**
 * Deletes results that were read; a request whose last one went so is `expired`.
 * KEYS request, result prefix, admission; ARGV request id, then chunks. Returns how many were there.
 */
const consumeScript = new RedisScript(`#!lua flags=allow-oom
${RELEASE_CHUNK_LUA}
local consumed, bytes = 0, 0
for i = 2, #ARGV do
  local result = KEYS[2] .. ARGV[1] .. '.' .. ARGV[i]
  bytes = bytes + redis.call('STRLEN', result)
  consumed = consumed + redis.call('UNLINK', result)
end
if redis.call('EXISTS', KEYS[1]) == 0 or consumed == 0 then return consumed end
releaseResults(KEYS[3], KEYS[1], ARGV[1], bytes)
local total = redis.call('HINCRBY', KEYS[1], 'chunksConsumed', consumed)
local record = redis.call('HMGET', KEYS[1], 'chunks', 'endedAtMs', 'state')
if record[2] and record[3] ~= 'cancelled' and total >= tonumber(record[1]) then
  redis.call('HSET', KEYS[1], 'state', 'expired')
end
return consumed`);

/** Lets go of results that were read. */
export async function consumeChunks(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  chunks: readonly number[],
): Promise<void> {
  await consumeScript.run(
    redis,
    [keys.request(requestId), keys.resultPrefix, keys.admission],
    [requestId, ...chunks],
  );
}

/** Deletes all results of a request. */
export async function consumeAll(
  redis: FarmRedis,
  keys: RedisKeys,
  { requestId, chunks }: Pick<RequestRecord, 'requestId' | 'chunks'>,
): Promise<void> {
  for (let from = 0; from < chunks; from += CONSUME_CHUNKS) {
    const slice = Array.from({ length: Math.min(CONSUME_CHUNKS, chunks - from) }, (_, index) => from + index);
    await consumeChunks(redis, keys, requestId, slice);
  }
}
