import {
  encodeJobSchema,
  FarmError,
  queueName,
  type EncodeJob,
  type Lane,
  type ModelRegistration,
  type RedisKeys,
} from '@embedfarm/contract';
import { UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { MAX_ATTEMPTS } from '../queue/encode-queue.ts';
import { disconnectRedis } from '../redis/connect.ts';
import type { RedisClock } from '../redis/redis-clock.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import type { Encoder } from './encoder.ts';
import type { farmWorkerOptionsSchema } from './farm-worker-options.ts';
import { finishChunk, type FinishedChunk } from './finish-chunk.ts';
import { processJob, type PulledJob } from './process-job.ts';
import { startChunk } from './start-chunk.ts';

/** BullMQ's own limit never decides: processJob settles the chunk before the job fails. */
const BULLMQ_MAX_STALLS = 1_000;
/** Redis is asked again after this, as long as it has no memory for a result. */
const STORE_RETRY_MS = 500;
/** Beyond the grace time, for giving jobs back and ending connections. */
const HAND_BACK_MS = 5_000;
/** Pulling starts again when the line is this far below the limit, so that it does not flutter. */
const RESUME_SHARE = 0.75;

/** Why nothing is pulled: the line is full, the model's name is taken, the worker drains. */
type PauseReason = 'backlog' | 'refused' | 'draining';

export interface JobPullerParts {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly clock: RedisClock;
  readonly registration: ModelRegistration;
  readonly encoder: Encoder;
  readonly workerId: string;
  readonly options: z.output<typeof farmWorkerOptionsSchema>;
  readonly onFault: (what: string, fault: unknown) => void;
  /** Registers the model again: true when the name is another's, and this worker pulls no more. */
  readonly hasLostName: () => Promise<boolean>;
}

/** Several BullMQ workers on one encoder, gated by the work that waits. */
export class JobPuller {
  readonly #parts: JobPullerParts;
  readonly #workers: Worker[] = [];
  /** Jobs in hand, by request. */
  readonly #held = new Map<string, Set<AbortController>>();
  readonly #pauses = new Set<PauseReason>();
  readonly #stopListening: () => void;
  readonly #drained = new AbortController();

  constructor(parts: JobPullerParts) {
    this.#parts = parts;
    this.#stopListening = parts.encoder.onBatchEnd(() => this.#gate());
  }

  get heldJobs(): number {
    let jobs = 0;
    for (const held of this.#held.values()) jobs += held.size;
    return jobs;
  }

  /** Opens the lane's BullMQ workers; they pull at once. */
  pull(lane: Lane): void {
    const { redis, keys, registration, options, onFault } = this.#parts;
    const interactive = lane === 'interactive';
    const count = interactive ? options.interactiveWorkers : 1;
    for (let index = 0; index < count; index += 1) {
      const worker = new Worker(
        queueName(registration.model, lane),
        (job, token, signal) => this.#process(job, token, lane, signal),
        {
          connection: redis,
          prefix: keys.prefix,
          concurrency: interactive ? options.interactiveConcurrency : options.bulkConcurrency,
          lockDuration: options.lockDurationMs,
          stalledInterval: options.stalledIntervalMs,
          // One stalled check a lane is enough for a process.
          skipStalledCheck: index > 0,
          maxStalledCount: BULLMQ_MAX_STALLS,
          runRetryDelay: 500,
          drainDelay: 5,
        },
      );
      worker.on('error', (fault) => onFault('queue', fault));
      this.#workers.push(worker);
    }
  }

  /** A hint that a request was cancelled: its jobs in hand leave the line; the tombstone decides. */
  cancel(requestId: string): void {
    for (const job of this.#held.get(requestId) ?? []) job.abort();
  }

  pause(reason: PauseReason): void {
    const wasPulling = this.#pauses.size === 0;
    this.#pauses.add(reason);
    if (!wasPulling) return;
    for (const worker of this.#workers)
      worker.pause(true).catch((fault) => this.#parts.onFault('pause', fault));
  }

  resume(reason: PauseReason): void {
    if (!this.#pauses.delete(reason) || this.#pauses.size > 0) return;
    for (const worker of this.#workers)
      worker.resume().catch((fault) => this.#parts.onFault('resume', fault));
  }

  /**
   * Waits for the jobs in the engine, at most `graceMs`; what is left goes back to the queue.
   *
   * @throws FarmError `redis_unavailable` when Redis does not take them back; the stalled check does it then.
   */
  async close(graceMs: number): Promise<void> {
    this.pause('draining');
    const grace = setTimeout(() => this.#abortAll(), graceMs);
    try {
      const drained = Promise.all(this.#workers.map((worker) => worker.close()));
      const timeoutMs = (this.heldJobs > 0 ? graceMs : 0) + HAND_BACK_MS;
      await withDeadline(drained, { timeoutMs }, () => notDrained(timeoutMs, this.heldJobs));
    } catch (thrown) {
      for (const worker of this.#workers) endBlocking(worker);
      throw thrown;
    } finally {
      clearTimeout(grace);
      this.#stopListening();
      this.#drained.abort();
    }
  }

  #gate(): void {
    const { encoder, options } = this.#parts;
    if (encoder.backlogMs > options.maxBacklogMs) this.pause('backlog');
    else if (encoder.backlogMs < options.maxBacklogMs * RESUME_SHARE) this.resume('backlog');
  }

  #abortAll(): void {
    for (const jobs of this.#held.values()) for (const job of jobs) job.abort();
  }

  async #process(job: Job, token: string | undefined, lane: Lane, signal?: AbortSignal): Promise<null> {
    // Fetched while the pause was on its way: not begun, so it goes back.
    if (this.#pauses.has('draining')) await giveBack(job, token);
    const abort = new AbortController();
    const requestId = requestIdOf(job);
    const held = this.#held.get(requestId) ?? new Set();
    this.#held.set(requestId, held.add(abort));
    const giveUp = (): void => abort.abort();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      this.#gate();
      await processJob(pulledJob(job), lane, this.#ports(lane), abort.signal);
      return null;
    } catch (thrown) {
      const error = FarmError.from(thrown);
      if (error.code === 'cancelled') await giveBack(job, token);
      // The one place where a FarmError becomes BullMQ's.
      if (!error.retryable) throw new UnrecoverableError(error.message);
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
      held.delete(abort);
      if (held.size === 0) this.#held.delete(requestId);
    }
  }

  #ports(lane: Lane): Parameters<typeof processJob>[2] {
    const { redis, keys, clock, registration, encoder, workerId, hasLostName } = this.#parts;
    return {
      fingerprint: registration.fingerprint,
      nowMs: () => clock.nowMs(),
      hasLostName,
      start: (job) => startChunk(redis, keys, job, lane),
      encode: (texts, options, call) => encoder.encode(texts, options, call),
      finish: (job, chunk) =>
        this.#finish(job, chunk, () => finishChunk(redis, keys, job, workerId, chunk, lane)),
    };
  }

  /** A result that Redis has no memory for is kept in hand until it has: the work is done. */
  async #finish(job: EncodeJob, chunk: FinishedChunk, store: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await store();
      } catch (fault) {
        if (!(fault instanceof Error) || !fault.message.startsWith('OOM')) throw fault;
        this.#parts.onFault(`storing chunk ${job.chunkIndex} of ${job.requestId} (${chunk.status})`, fault);
        await new Promise((resolve) => setTimeout(resolve, STORE_RETRY_MS));
      }
    }
  }
}

/** BullMQ waits for the end of its own connection, which one without a Redis does not tell by itself. */
function endBlocking({ backend }: Worker): void {
  backend.blockingClient?.then(disconnectRedis).catch(() => undefined);
}

function notDrained(timeoutMs: number, heldJobs: number): FarmError {
  return new FarmError(
    'redis_unavailable',
    `Redis did not let the worker go within ${timeoutMs} ms, ${heldJobs} jobs were in hand`,
  );
}

/** Back to the front of the queue, for another worker. */
async function giveBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

function pulledJob(job: Job): PulledJob {
  return {
    id: job.id,
    data: job.data,
    enqueuedAtMs: job.timestamp,
    stalls: job.stalledCounter,
    failedAttempts: job.attemptsMade,
    isLastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? MAX_ATTEMPTS),
  };
}

function requestIdOf(job: Job): string {
  const parsed = encodeJobSchema.shape.requestId.safeParse(
    (job.data as { requestId?: unknown } | null)?.requestId,
  );
  return parsed.success ? parsed.data : '';
}
