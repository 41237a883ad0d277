import {
  encodeJobId,
  encodeVectorBlock,
  MAX_INLINE_BYTES,
  type EncodeJob,
  type Lane,
  type RedisKeys,
  type ReplyStatus,
  type VectorBlock,
} from '@embedfarm/contract';
import type { Redis } from 'ioredis';
import { END_REQUEST_LUA, REQUEST_TTL_MS } from '../redis/request-record.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { STATS_SECOND_TTL_S } from '../redis/stats.ts';

/** Above this, unread replies no longer carry their vectors. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/**
 * Success, failure and cancel alike: store, settle once, count once, announce.
 * A rerun of a settled chunk stores and announces again only what is no longer there; it counts nothing.
 *
 * KEYS result, request, request-bits, reply, stats prefix, result prefix, job
 * ARGV job id, chunk index, status, block, result TTL, tracked, awaited, texts, failed texts, tokens,
 *      worker id, max inline bytes, max unread bytes, stats TTL, request TTL, request id
 * Returns 'settled' the first time, 'again' after that, 'gone' when the request's record is.
 */
const finishScript = new RedisScript(`
${END_REQUEST_LUA}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('EXISTS', KEYS[1]) == 1
local first
if ARGV[6] == '1' then
  if redis.call('HEXISTS', KEYS[2], 'state') == 0 then return 'gone' end
  first = redis.call('SETBIT', KEYS[3], ARGV[2], 1) == 0
else
  -- Its client may have taken the result already: the job remembers, until the last of its runs has ended it.
  first = not stored and redis.call('EXISTS', KEYS[7]) == 1 and redis.call('HSETNX', KEYS[7], 'settled', 1) == 1
end
if first or not stored then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
  if ARGV[7] == '1' then
    local bytes = #ARGV[4]
    local small = bytes <= tonumber(ARGV[12])
    if small and redis.call('XLEN', KEYS[4]) * bytes < tonumber(ARGV[13]) then
      redis.call('XADD', KEYS[4], 'NOMKSTREAM', '*', 'job', ARGV[1], 'status', ARGV[3], 'block', ARGV[4])
    else
      redis.call('XADD', KEYS[4], 'NOMKSTREAM', '*', 'job', ARGV[1], 'status', ARGV[3])
    end
  end
end
if not first then return 'again' end
local stats = KEYS[5] .. time[1]
redis.call('HINCRBY', stats, 'texts', ARGV[8] - ARGV[9])
redis.call('HINCRBY', stats, 'failed', ARGV[9])
redis.call('HINCRBY', stats, 'tokens', ARGV[10])
redis.call('HINCRBY', stats, 'chunks', 1)
redis.call('HINCRBY', stats, 'worker:' .. ARGV[11], ARGV[8] - ARGV[9])
redis.call('EXPIRE', stats, ARGV[14])
if ARGV[6] ~= '1' then return 'settled' end
redis.call('HINCRBY', KEYS[2], 'chunksSettled', 1)
redis.call('HINCRBY', KEYS[2], 'textsDone', ARGV[8] - ARGV[9])
redis.call('HINCRBY', KEYS[2], 'textsFailed', ARGV[9])
redis.call('HINCRBY', KEYS[2], 'tokens', ARGV[10])
redis.call('HSET', KEYS[2], 'updatedAtMs', now)
redis.call('PEXPIRE', KEYS[2], ARGV[15])
redis.call('PEXPIRE', KEYS[3], ARGV[15])
endRequest(KEYS[2], KEYS[3], KEYS[6], ARGV[16])
return 'settled'`);

export interface FinishedChunk {
  readonly status: ReplyStatus;
  readonly block: VectorBlock;
}

/**
 * Stored before announced: who is told can read. Safe to call again for the same chunk.
 *
 * @param lane of its job, which decides for a chunk without a record whether it counts.
 */
export async function finishChunk(
  redis: Redis,
  keys: RedisKeys,
  job: EncodeJob,
  workerId: string,
  { status, block }: FinishedChunk,
  lane: Lane = 'bulk',
): Promise<void> {
  const jobId = encodeJobId(job.requestId, job.chunkIndex);
  const failedTexts = block.failures.reduce((total, failure) => total + failure.texts.length, 0);
  const tokens = block.tokens.reduce((total, count) => total + count, 0);
  await finishScript.run(
    redis,
    [
      keys.result(jobId),
      keys.request(job.requestId),
      keys.requestBits(job.requestId),
      keys.reply(job.clientId),
      keys.statsPrefix,
      keys.resultPrefix,
      keys.jobPrefix(job.model, lane) + jobId,
    ],
    [
      jobId,
      job.chunkIndex,
      status,
      asBuffer(encodeVectorBlock(block)),
      job.resultTtlMs,
      job.tracked ? 1 : 0,
      job.awaited ? 1 : 0,
      job.texts.length,
      failedTexts,
      tokens,
      workerId,
      MAX_INLINE_BYTES,
      MAX_UNREAD_BYTES,
      STATS_SECOND_TTL_S,
      REQUEST_TTL_MS,
      job.requestId,
    ],
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
