import { FarmError, type EncodeJob, type Lane, type RedisKeys } from '@embedfarm/contract';
import type { Redis } from 'ioredis';
import { performance } from 'node:perf_hooks';
import type { EncodeQueue } from '../queue/encode-queue.ts';
import { buryRequest } from '../request/cancel-request.ts';
import type { CallPart } from './call-part.ts';
import type { SharedChunk, SharedTerms } from './coalesce.ts';
import type { PendingChunk, PendingChunks } from './pending-chunks.ts';
import type { TextRange } from './split-texts.ts';

/** Chunks of one call in Redis at a time, so that it never holds a whole corpus. */
const MAX_OUTSTANDING_CHUNKS = 64;
/** An awaited result that nobody reads is gone after this. */
const AWAITED_RESULT_TTL_MS = 600_000;

/** What enqueueing needs of its producer. */
export interface EnqueuePorts {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly clientId: string;
  readonly pending: PendingChunks;
  nowMs(): number;
  nextRequestId(): string;
  queue(model: string, lane: Lane): EncodeQueue;
}

/** Sends the calls of a shared chunk as one job. It is cancelled when none of them waits any more. */
export function enqueueShared(shared: SharedChunk, ports: EnqueuePorts): void {
  const calls = shared.calls.filter((call) => !call.hasEnded);
  if (calls.length === 0) return;
  const texts = calls.flatMap((call) => call.texts);
  const patienceMs = Math.max(...calls.map((call) => call.patienceMs));
  const job = makeJob(shared.terms, ports, {
    requestId: ports.nextRequestId(),
    chunkIndex: 0,
    texts,
    patienceMs,
  });
  const queue = ports.queue(job.model, shared.terms.lane);
  const chunk = ports.pending.add(
    job,
    queue,
    (settled) => {
      let from = 0;
      for (const call of calls) {
        call.put(0, settled, from, from + call.texts.length);
        from += call.texts.length;
      }
    },
    (error) => {
      for (const call of calls) call.fail(error);
    },
  );
  for (const call of calls) {
    call.onDetach(() => {
      if (calls.every(({ hasEnded }) => hasEnded)) cancelChunks([chunk], ports);
    });
  }
  send([chunk], ports);
}

/** Sends a call of many chunks, a window of them at a time. */
export function enqueueRequest(
  call: CallPart,
  ranges: readonly TextRange[],
  terms: SharedTerms,
  ports: EnqueuePorts,
): void {
  const requestId = ports.nextRequestId();
  const queue = ports.queue(terms.registration.model, terms.lane);
  const outstanding = new Set<PendingChunk>();
  let next = 0;
  const fill = (): void => {
    if (call.hasEnded) return;
    const chunks: PendingChunk[] = [];
    for (; next < ranges.length && outstanding.size < MAX_OUTSTANDING_CHUNKS; next += 1) {
      const { from, to } = ranges[next] ?? { from: 0, to: 0 };
      const texts = call.texts.slice(from, to);
      const job = makeJob(terms, ports, { requestId, chunkIndex: next, texts, patienceMs: call.patienceMs });
      const chunk = ports.pending.add(
        job,
        queue,
        (settled) => {
          outstanding.delete(chunk);
          call.put(from, settled, 0, texts.length);
          fill();
        },
        (error) => call.fail(error),
      );
      outstanding.add(chunk);
      chunks.push(chunk);
    }
    if (chunks.length > 0) send(chunks, ports);
  };
  call.onDetach(() => cancelChunks([...outstanding], ports));
  fill();
}

export function makeJob(
  { registration, options, tenant, cacheTtlMs }: SharedTerms,
  ports: EnqueuePorts,
  chunk: Pick<EncodeJob, 'requestId' | 'chunkIndex' | 'texts'> & {
    readonly refused?: EncodeJob['refused'];
    readonly patienceMs: number;
  },
): EncodeJob {
  return {
    version: 1,
    requestId: chunk.requestId,
    chunkIndex: chunk.chunkIndex,
    clientId: ports.clientId,
    model: registration.model,
    fingerprint: registration.fingerprint,
    texts: chunk.texts,
    options,
    ...(tenant === undefined ? {} : { tenant }),
    tracked: false,
    awaited: true,
    ...(chunk.refused === undefined || chunk.refused.length === 0 ? {} : { refused: chunk.refused }),
    deadlineMs: ports.nowMs() + chunk.patienceMs,
    resultTtlMs: AWAITED_RESULT_TTL_MS,
    ...(cacheTtlMs === undefined ? {} : { cacheTtlMs }),
  };
}

export function send(chunks: readonly PendingChunk[], ports: EnqueuePorts): void {
  const [first] = chunks;
  if (!first) return;
  first.queue
    .enqueue(
      chunks.map(({ job }) => job),
      ports.nowMs(),
    )
    .then(() => {
      for (const chunk of chunks) chunk.enqueuedAt = performance.now();
    })
    .catch((thrown: unknown) => {
      const error = enqueueFault(thrown);
      for (const { jobId } of chunks) ports.pending.fail(jobId, error);
    });
}

/** What Redis or BullMQ said against a job, as the farm's error. */
export function enqueueFault(thrown: unknown): FarmError {
  if (thrown instanceof FarmError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message.startsWith('OOM')) {
    return new FarmError('overloaded', 'Redis has no memory left for more jobs', { cause: thrown });
  }
  return new FarmError('redis_unavailable', `the job was not enqueued: ${message}`, { cause: thrown });
}

/** Waiting jobs are taken away; for those that a worker holds, the tombstone decides. */
export function cancelChunks(chunks: readonly PendingChunk[], { redis, keys, pending }: EnqueuePorts): void {
  const [first] = chunks;
  if (!first) return;
  for (const { jobId } of chunks) pending.drop(jobId);
  const jobIds = chunks.map(({ jobId }) => jobId);
  first.queue
    .remove(jobIds)
    .then(async (removed) => {
      if (removed.length === jobIds.length) return;
      await buryRequest(redis, keys, first.job.requestId, { tombstoneTtlMs: AWAITED_RESULT_TTL_MS });
    })
    // The job's deadline ends what cannot be cancelled now.
    .catch(() => undefined);
}
