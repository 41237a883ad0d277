import { encodeJobId, type EncodeJob, type Lane, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';

/**
 * - `run`: nobody has settled the chunk, and someone wants it.
 * - `settled`: its result is stored and announced, or taken already; only the job is left to end.
 * - `cancelled`: the request's tombstone stands.
 * - `gone`: the request's record is, or it was ended without this chunk; nobody can ask for the result.
 */
export type ChunkStart = 'run' | 'settled' | 'cancelled' | 'gone';

/** KEYS request, request-bits, result, job; ARGV chunk index, tracked. */
const startScript = new RedisScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'cancelled' then return 'cancelled' end
if ARGV[2] ~= '1' then
  local settled = redis.call('EXISTS', KEYS[3]) == 1 or redis.call('HEXISTS', KEYS[4], 'settled') == 1
  return settled and 'settled' or 'run'
end
if not state then return 'gone' end
local record = redis.call('HMGET', KEYS[1], 'sealed', 'chunks')
if record[1] == '1' and tonumber(ARGV[1]) >= tonumber(record[2]) then return 'gone' end
if redis.call('GETBIT', KEYS[2], ARGV[1]) == 1 then return 'settled' end
if redis.call('HEXISTS', KEYS[1], 'startedAtMs') == 0 then
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'startedAtMs', time[1] * 1000 + math.floor(time[2] / 1000))
end
if state == 'queued' then redis.call('HSET', KEYS[1], 'state', 'running') end
return 'run'`);

/** What is to be done with a chunk that a worker holds, decided by Redis alone. */
export async function startChunk(
  redis: FarmRedis,
  keys: RedisKeys,
  job: EncodeJob,
  lane: Lane,
): Promise<ChunkStart> {
  const { requestId, chunkIndex } = job;
  const jobId = encodeJobId(requestId, chunkIndex);
  const start = await startScript.run(
    redis,
    [
      keys.request(requestId),
      keys.requestBits(requestId),
      keys.result(jobId),
      keys.jobPrefix(job.model, lane) + jobId,
    ],
    [chunkIndex, job.tracked ? 1 : 0],
  );
  return start as ChunkStart;
}
