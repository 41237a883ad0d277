import { decodeVectorBlock, type RedisKeys, type VectorBlock } from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';
import { isStreamJob } from './stream-job-id.ts';

/**
 * One stored result, taken away (a resumable stream takes its own away later); undefined where it is not there (yet,
 * or any more).
 */
export async function takeResult(
  redis: FarmRedis,
  keys: RedisKeys,
  jobId: string,
): Promise<VectorBlock | undefined> {
  const key = keys.result(jobId);
  const bytes = isStreamJob(jobId) ? await redis.getBuffer(key) : await redis.getdelBuffer(key);
  return bytes === null ? undefined : decodeVectorBlock(bytes);
}
