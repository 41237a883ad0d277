import { decodeVectorBlock, type RedisKeys, type VectorBlock } from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';

/** One stored result, taken away; undefined where it is not there (yet, or any more). */
export async function takeResult(
  redis: FarmRedis,
  keys: RedisKeys,
  jobId: string,
): Promise<VectorBlock | undefined> {
  const bytes = await redis.getdelBuffer(keys.result(jobId));
  return bytes === null ? undefined : decodeVectorBlock(bytes);
}
