import { decodeVectorBlock, FarmError, type RedisKeys, type Reply } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { takeResult } from '../redis/result-store.ts';
import { isStreamJob } from '../redis/stream-job-id.ts';
import type { ClientPresence } from '../stats/client-presence.ts';
import type { PendingChunks } from './pending-chunks.ts';

/** What taking a reply needs of its producer. */
export interface ReplyPorts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly pending: PendingChunks;
  readonly presence: Pick<ClientPresence, 'replied'>;
  /** Redis time. */
  nowMs(): number;
}

/** Gives the chunk that waits for it what a reply brings, or names. Never rejects. */
export async function takeReply(
  { jobId, status, block }: Reply,
  storedAtMs: number,
  ports: ReplyPorts,
): Promise<void> {
  const { redis, keys, pending, presence } = ports;
  const waiting = pending.get(jobId);
  // Nobody waits, and it is to stay stored.
  if (isStreamJob(jobId) && !waiting) return;
  if (waiting) presence.replied(waiting.queue.lane, ports.nowMs() - storedAtMs);
  try {
    const stored = block ? decodeVectorBlock(block) : await takeResult(redis, keys, jobId);
    // Without a block and without a result the sweep decides.
    if (stored) pending.settle(jobId, { status, block: stored });
  } catch (thrown) {
    pending.fail(jobId, FarmError.from(thrown));
  }
}
