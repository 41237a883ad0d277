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
import { SERVE_TAG_LUA } from '../queue/serve-tag.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { STATS_SECOND_TTL_S } from '../redis/stats.ts';
import { END_REQUEST_LUA } from '../request/end-request.ts';
import { REQUEST_TTL_MS } from '../request/request-record.ts';
import { requestScriptKeys } from '../request/request-script-keys.ts';
import { sumCounts } from './sum-counts.ts';

/** Above this, unread replies no longer carry their vectors. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/**
 * Success, failure and cancel alike: store, settle once, count once, announce.
 * A rerun of a settled chunk counts nothing; of a lone one it stores and announces again what was read meanwhile.
 * The block is empty where there is nothing to keep: a cancelled chunk of a request with a record.
 *
 * KEYS as requestScriptKeys, then result, reply, stats prefix, fair share, job
 * ARGV request id, job id, chunk index, status, block, result TTL, tracked, awaited, texts, failed texts,
 *      truncated texts, tokens, worker id, max inline bytes, max unread bytes, stats TTL, request TTL, reserved bytes
 * Returns 'settled' the first time, 'again' after that, 'gone' when the request's record is, or has no such chunk.
 */
const finishScript = new RedisScript(`
${END_REQUEST_LUA}
${SERVE_TAG_LUA}
-- What stands beside the chunk may have been written over by hand, and must not keep it from being settled.
pcall(serveTag, KEYS[11], KEYS[12])
local function add(key, field, number) redis.pcall('HINCRBY', key, field, number) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('EXISTS', KEYS[8]) == 1
local first
if ARGV[7] == '1' then
  local record = redis.call('HMGET', KEYS[1], 'sealed', 'chunks')
  if not record[1] then return 'gone' end
  if record[1] == '1' and tonumber(ARGV[3]) >= tonumber(record[2]) then return 'gone' end
  -- Its result was stored with the bit; where it is gone, it was read and consumed.
  if redis.call('SETBIT', KEYS[2], ARGV[3], 1) == 1 then return 'again' end
  first = true
else
  -- Its client may have taken the result already: the job remembers, until the last of its runs has ended it.
  first = not stored and redis.call('EXISTS', KEYS[12]) == 1 and redis.call('HSETNX', KEYS[12], 'settled', 1) == 1
end
if (first or not stored) and ARGV[5] ~= '' then
  redis.call('SET', KEYS[8], ARGV[5], 'PX', ARGV[6])
  if ARGV[8] == '1' then
    local bytes = #ARGV[5]
    local small = bytes <= tonumber(ARGV[14])
    if small and redis.call('XLEN', KEYS[9]) * bytes < tonumber(ARGV[15]) then
      redis.call('XADD', KEYS[9], 'NOMKSTREAM', '*', 'job', ARGV[2], 'status', ARGV[4], 'block', ARGV[5])
    else
      redis.call('XADD', KEYS[9], 'NOMKSTREAM', '*', 'job', ARGV[2], 'status', ARGV[4])
    end
  end
end
if not first then return 'again' end
local done = 0
if ARGV[4] ~= 'cancelled' then
  done = ARGV[9] - ARGV[10]
  local stats = KEYS[10] .. time[1]
  add(stats, 'texts', done)
  add(stats, 'failed', ARGV[10])
  add(stats, 'tokens', ARGV[12])
  add(stats, 'chunks', 1)
  add(stats, 'worker:' .. ARGV[13], done)
  redis.call('EXPIRE', stats, ARGV[16])
end
if ARGV[7] ~= '1' then return 'settled' end
add(KEYS[1], 'chunksSettled', 1)
if ARGV[4] ~= 'cancelled' then
  add(KEYS[1], 'textsDone', done)
  add(KEYS[1], 'textsFailed', ARGV[10])
  add(KEYS[1], 'textsTruncated', ARGV[11])
  add(KEYS[1], 'tokens', ARGV[12])
end
redis.call('HSET', KEYS[1], 'updatedAtMs', now)
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[17]) end
pcall(releaseChunk, KEYS[7], KEYS[1], ARGV[1], tonumber(ARGV[18]), #ARGV[5])
endRequest(ARGV[1])
return 'settled'`);

/** `settled`: by this call; `again`: by one before it; `gone`: nobody can ask for the result. */
export type Settlement = 'settled' | 'again' | 'gone';

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
  redis: FarmRedis,
  keys: RedisKeys,
  job: EncodeJob,
  workerId: string,
  { status, block }: FinishedChunk,
  lane: Lane = 'bulk',
): Promise<Settlement> {
  const jobId = encodeJobId(job.requestId, job.chunkIndex);
  const failedTexts = block.failures.reduce((total, failure) => total + failure.texts.length, 0);
  const isKept = !(job.tracked && status === 'cancelled');
  const settlement = await finishScript.run(
    redis,
    [
      ...requestScriptKeys(keys, job.requestId),
      keys.result(jobId),
      keys.reply(job.clientId),
      keys.statsPrefix,
      keys.fairShare(job.model),
      keys.jobPrefix(job.model, lane) + jobId,
    ],
    [
      job.requestId,
      jobId,
      job.chunkIndex,
      status,
      isKept ? asBuffer(encodeVectorBlock(block)) : '',
      // The end of the request gives its results their last time to live.
      job.tracked ? REQUEST_TTL_MS : job.resultTtlMs,
      job.tracked ? 1 : 0,
      job.awaited ? 1 : 0,
      job.texts.length,
      failedTexts,
      sumCounts(block.truncated),
      sumCounts(block.tokens),
      workerId,
      MAX_INLINE_BYTES,
      MAX_UNREAD_BYTES,
      STATS_SECOND_TTL_S,
      REQUEST_TTL_MS,
      job.reservedBytes ?? 0,
    ],
  );
  return settlement as Settlement;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
