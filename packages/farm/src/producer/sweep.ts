import { FarmError, type RedisKeys } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { takeResult } from '../redis/result-store.ts';
import type { PendingChunk, PendingChunks } from './pending-chunks.ts';

/** A chunk younger than this is left alone: its reply is likely on its way. */
const SWEEP_AGE_MS = 2_000;
/** Times a chunk that is nowhere is enqueued again. */
const MAX_REQUEUES = 3;
/** Chunks looked up with one round trip. */
const SWEEP_CHUNKS = 256;

/**
 * Looks after chunks whose reply does not come: first the job, then the result, and only when
 * both are gone the chunk is enqueued again under the same id. The order matters: a worker stores
 * before the job ends, so a job that is gone has left its result, or was lost.
 */
export async function sweepPending(
  redis: FarmRedis,
  keys: RedisKeys,
  pending: PendingChunks,
  nowMs: () => number,
  chunks: readonly PendingChunk[] = pending.olderThan(SWEEP_AGE_MS),
): Promise<void> {
  for (let from = 0; from < chunks.length; from += SWEEP_CHUNKS) {
    const slice = chunks.slice(from, from + SWEEP_CHUNKS);
    const lookup = redis.pipeline();
    for (const { jobId, queue } of slice) {
      const { job, failed } = queue.jobKeys(jobId);
      lookup.exists(job).zscore(failed, jobId).exists(keys.result(jobId));
    }
    const answers = (await lookup.exec()) ?? [];
    for (const [index, chunk] of slice.entries()) {
      const [jobExists, failedAt, resultExists] = [0, 1, 2].map((part) => answers[index * 3 + part]?.[1]);
      if (resultExists === 1) await deliver(redis, keys, pending, chunk);
      else if (failedAt !== null && failedAt !== undefined) await reject(pending, chunk);
      else if (jobExists === 0) await requeue(pending, chunk, nowMs());
    }
  }
}

/** A result that cannot be read fails its own chunk, and keeps no other waiting. */
async function deliver(
  redis: FarmRedis,
  keys: RedisKeys,
  pending: PendingChunks,
  { jobId }: PendingChunk,
): Promise<void> {
  const block = await takeResult(redis, keys, jobId).catch((thrown: unknown) => {
    pending.fail(jobId, FarmError.from(thrown));
  });
  if (!block) return;
  const hasVectors = block.values.length > 0 || block.failures.length === 0;
  const status = hasVectors ? 'done' : block.failures[0]?.code === 'cancelled' ? 'cancelled' : 'failed';
  pending.settle(jobId, { status, block });
}

async function reject(pending: PendingChunks, { jobId, queue }: PendingChunk): Promise<void> {
  const reason = await queue.failedReason(jobId);
  pending.fail(
    jobId,
    new FarmError('internal', `the job ${jobId} failed without a result: ${reason ?? 'no reason'}`),
  );
}

async function requeue(pending: PendingChunks, chunk: PendingChunk, nowMs: number): Promise<void> {
  // Settled or dropped while Redis was asked.
  if (pending.get(chunk.jobId) !== chunk) return;
  if (chunk.requeues >= MAX_REQUEUES) {
    const times = `${MAX_REQUEUES} times`;
    pending.fail(chunk.jobId, new FarmError('internal', `the job ${chunk.jobId} was lost ${times}`));
    return;
  }
  chunk.requeues += 1;
  await chunk.queue.enqueue([chunk.job], nowMs);
  chunk.enqueuedAt = performance.now();
}
