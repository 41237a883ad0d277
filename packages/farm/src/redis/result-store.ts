import {
  decodeVectorBlock,
  encodeJobId,
  FarmError,
  type RedisKeys,
  type VectorBlock,
} from '@embedfarm/contract';
import type { Redis } from 'ioredis';

/** Results fetched with one round trip: 32 blocks of 256 × 768 floats are 25 MB. */
const FETCH_BLOCKS = 32;

/** One stored result, taken away; undefined where it is not there (yet, or any more). */
export async function takeResult(
  redis: Redis,
  keys: RedisKeys,
  jobId: string,
): Promise<VectorBlock | undefined> {
  const bytes = await redis.getdelBuffer(keys.result(jobId));
  return bytes === null ? undefined : decodeVectorBlock(bytes);
}

/**
 * All blocks of a request, in order.
 *
 * @throws FarmError `result_expired` when one is gone; `cancelled` on abort.
 */
export async function fetchBlocks(
  redis: Redis,
  keys: RedisKeys,
  requestId: string,
  chunks: number,
  signal: AbortSignal | undefined,
): Promise<VectorBlock[]> {
  const blocks: VectorBlock[] = [];
  for (let from = 0; from < chunks; from += FETCH_BLOCKS) {
    if (signal?.aborted === true) throw new FarmError('cancelled', 'reading the result was aborted');
    const names = Array.from({ length: Math.min(FETCH_BLOCKS, chunks - from) }, (_, index) =>
      keys.result(encodeJobId(requestId, from + index)),
    );
    for (const [index, bytes] of (await redis.mgetBuffer(...names)).entries()) {
      if (bytes === null) {
        throw new FarmError(
          'result_expired',
          `chunk ${from + index} of request ${requestId} is not stored any more`,
        );
      }
      blocks.push(decodeVectorBlock(bytes));
    }
  }
  return blocks;
}
