import {
  FarmError,
  messageOf,
  type EncodeJob,
  type EncodeText,
  type Lane,
  type RedisKeys,
} from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { chunkLoad } from '../queue/chunk-load.ts';
import type { EncodeQueue } from '../queue/encode-queue.ts';
import type { ClientPresence } from '../stats/client-presence.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { buryRequest } from '../request/cancel-request.ts';
import type { CallPart } from './call-part.ts';
import { ChunkRoom } from './chunk-room.ts';
import type { ClientLease } from './client-lease.ts';
import type { SharedChunk, SharedTerms } from './coalesce.ts';
import type { PendingChunk, PendingChunks } from './pending-chunks.ts';
import type { TextRange } from './split-texts.ts';

/** Chunks of one call in Redis at a time, so that it never holds a whole corpus. */
const MAX_OUTSTANDING_CHUNKS = 64;
/** An awaited result that nobody reads is gone after this. */
const AWAITED_RESULT_TTL_MS = 600_000;

/** Nobody knows when somebody else's data leave room. */
const OUT_OF_MEMORY_RETRY_MS = 5_000;

/** What enqueueing needs of its producer. */
export interface EnqueuePorts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly clientId: string;
  readonly pending: PendingChunks;
  readonly lease: ClientLease;
  readonly presence: ClientPresence;
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
    // Calls of one tick share a job, and a job is in one trace.
    trace: calls.find(({ trace }) => trace !== undefined)?.trace,
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

/**
 * Sends a call of many chunks, a window of them at a time, each when the farm has room for it.
 * Once the first is in, the call is no longer refused for lack of room: what it gives back lets the next in.
 */
export function enqueueRequest(
  call: CallPart,
  ranges: readonly TextRange[],
  terms: SharedTerms,
  ports: EnqueuePorts,
): void {
  const requestId = ports.nextRequestId();
  const queue = ports.queue(terms.registration.model, terms.lane);
  const outstanding = new Map<PendingChunk, ChunkRoom>();
  const waiting = new Set<ChunkRoom>();
  let ready: PendingChunk[] = [];
  let next = 0;
  let hasBegun = false;
  const sendReady = (): void => {
    const chunks = ready;
    ready = [];
    if (!call.hasEnded) send(chunks, ports);
  };
  const enter = (chunkIndex: number, from: number, texts: readonly EncodeText[], room: ChunkRoom): void => {
    hasBegun = true;
    const { patienceMs, trace } = call;
    const job = makeJob(terms, ports, { requestId, chunkIndex, texts, patienceMs, trace });
    const chunk = ports.pending.add(
      job,
      queue,
      (settled) => {
        outstanding.delete(chunk);
        room.leave();
        call.put(from, settled, 0, texts.length);
        fill();
      },
      (error) => call.fail(error),
    );
    outstanding.set(chunk, room);
    // Those that come in with one answer leave with one call.
    if (ready.length === 0) queueMicrotask(sendReady);
    ready.push(chunk);
  };
  const fill = (): void => {
    while (next < ranges.length && outstanding.size + waiting.size < MAX_OUTSTANDING_CHUNKS) {
      if (call.hasEnded) return;
      const chunkIndex = next;
      const { from, to } = ranges[chunkIndex] ?? { from: 0, to: 0 };
      const texts = call.texts.slice(from, to);
      const room = new ChunkRoom(ports.lease, chunkLoad(texts, terms.registration, terms.options));
      next += 1;
      waiting.add(room);
      room.take(() => (hasBegun ? 'wait' : call.whenOverloaded), {
        admit: () => {
          waiting.delete(room);
          enter(chunkIndex, from, texts, room);
        },
        refuse: (error) => call.fail(error),
      });
    }
  };
  call.explainDeadline(() => {
    const [first] = waiting;
    return outstanding.size === 0 ? first?.refusal : undefined;
  });
  call.onDetach(() => {
    for (const room of [...waiting, ...outstanding.values()]) room.leave();
    cancelChunks([...outstanding.keys()], ports);
  });
  fill();
}

export function makeJob(
  { registration, options, tenant, cacheTtlMs }: SharedTerms,
  ports: EnqueuePorts,
  chunk: Pick<EncodeJob, 'requestId' | 'chunkIndex' | 'texts'> & {
    readonly refused?: EncodeJob['refused'];
    readonly patienceMs: number;
    readonly trace?: string | undefined;
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
    ...(chunk.trace === undefined ? {} : { trace: chunk.trace }),
  };
}

export function send(chunks: readonly PendingChunk[], ports: EnqueuePorts): void {
  const [first] = chunks;
  if (!first) return;
  const sending = first.queue
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
  for (const chunk of chunks) chunk.sending = sending;
}

/** What Redis or BullMQ said against a job, as the farm's error. */
export function enqueueFault(thrown: unknown): FarmError {
  if (thrown instanceof FarmError) return thrown;
  const message = messageOf(thrown);
  if (message.startsWith('OOM')) {
    return new FarmError('overloaded', 'Redis has no memory left for more jobs', {
      cause: thrown,
      retryAfterMs: OUT_OF_MEMORY_RETRY_MS,
    });
  }
  return new FarmError('redis_unavailable', `the job was not enqueued: ${message}`, { cause: thrown });
}

/** Waiting jobs are taken away; for those that a worker holds, the tombstone decides. */
export function cancelChunks(chunks: readonly PendingChunk[], { redis, keys, pending }: EnqueuePorts): void {
  const [first] = chunks;
  if (!first) return;
  for (const { jobId } of chunks) pending.drop(jobId);
  const jobIds = chunks.map(({ jobId }) => jobId);
  // A job that comes after its removal would be encoded for nobody.
  Promise.all(chunks.flatMap(({ sending }) => sending ?? []))
    .then(async () => {
      const removed = await first.queue.remove(jobIds);
      if (removed.length === jobIds.length) return;
      await buryRequest(redis, keys, first.job.requestId, { tombstoneTtlMs: AWAITED_RESULT_TTL_MS });
    })
    // The job's deadline ends what cannot be cancelled now.
    .catch(() => undefined);
}
