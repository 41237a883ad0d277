import {
  FarmError,
  queueName,
  type Lane,
  type ModelRegistration,
  type RedisKeys,
  type VectorBlock,
} from '@embedfarm/contract';
import { UnrecoverableError, WaitingError, type Job, type Worker } from 'bullmq';
import type { z } from 'zod';
import { ChunkWorker } from '../queue/chunk-worker.ts';
import { MAX_ATTEMPTS } from '../queue/encode-queue.ts';
import { disconnectRedis } from '../redis/connect.ts';
import { setMaxListeners } from 'node:events';
import type { FarmRedis } from '../redis/farm-redis.ts';
import type { RedisClock } from '../redis/redis-clock.ts';
import type { WorkerStats } from '../stats/worker-stats.ts';
import { SuspectRuns } from '../redis/suspect-runs.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { CachedEncoder } from './cached-encoder.ts';
import { encodeAlone, type AlonePorts } from './encode-alone.ts';
import type { Encoder } from './encoder.ts';
import { EngineDoor } from './engine-door.ts';
import type { farmWorkerOptionsSchema } from './farm-worker-options.ts';
import { finishChunk } from './finish-chunk.ts';
import { MemoryGate } from './memory-gate.ts';
import { observeJob, type JobEvents } from './observe-job.ts';
import { SettledFailure, type JobPorts, type PulledJob } from './process-job.ts';
import { pulledJob, requestIdOf } from './pulled-job.ts';
import { rest } from './rest.ts';
import { settleBrokenJob } from './settle-broken-job.ts';
import { startChunk } from './start-chunk.ts';

/** BullMQ's own limit never decides: marks of suspect runs do, see encodeAlone. */
const BULLMQ_MAX_STALLS = Number.MAX_SAFE_INTEGER;
/** Before a chunk that failed for a reason that may pass is tried again; doubled each time. */
const RETRY_REST_MS = 200;
/** Beyond the grace time, for giving jobs back and ending connections. */
const HAND_BACK_MS = 5_000;
/** Pulling starts again when the line is this far below the limit, so that it does not flutter. */
const RESUME_SHARE = 0.75;

/** Why nothing is pulled: the line is full, the model's name is taken, Redis has no memory, the worker drains. */
type PauseReason = 'backlog' | 'refused' | 'memory' | 'draining';

export interface JobPullerParts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly clock: RedisClock;
  readonly registration: ModelRegistration;
  readonly encoder: Encoder;
  readonly workerId: string;
  readonly options: z.output<typeof farmWorkerOptionsSchema>;
  readonly onFault: (what: string, fault: unknown) => void;
  /** Registers the model again: true when the name is another's, and this worker pulls no more. */
  readonly hasLostName: () => Promise<boolean>;
  readonly events: JobEvents;
  readonly stats: WorkerStats;
}

/** Several BullMQ workers on one encoder, gated by the work that waits. */
export class JobPuller {
  readonly #parts: JobPullerParts;
  readonly #encoder: CachedEncoder;
  readonly #workers: Worker[] = [];
  /** Jobs in hand, by request. */
  readonly #held = new Map<string, Set<AbortController>>();
  readonly #pauses = new Set<PauseReason>();
  readonly #stopListening: () => void;
  readonly #draining = new AbortController();
  readonly #door = new EngineDoor();
  readonly #suspects: SuspectRuns;
  readonly #memory: MemoryGate;

  constructor(parts: JobPullerParts) {
    this.#parts = parts;
    setMaxListeners(0, this.#draining.signal);
    this.#suspects = new SuspectRuns(parts.redis, parts.keys);
    this.#memory = new MemoryGate({
      redis: parts.redis,
      keys: parts.keys,
      onFull: (fault) => {
        this.pause('memory');
        parts.onFault('Redis memory', fault);
      },
      onRoom: () => this.resume('memory'),
    });
    this.#encoder = new CachedEncoder({
      ...parts,
      encoder: { encode: (texts, options, call) => this.#encodeInside(texts, options, call) },
      lockDurationMs: parts.options.lockDurationMs,
      onLookup: (counts) => {
        parts.stats.cacheLookedUp(counts);
        parts.events.onCacheLookup?.(counts);
      },
    });
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
      const worker = new ChunkWorker(
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
          // A worker that is silent but connected may take another's wake-up: it is missed for no longer than this.
          drainDelay: 2,
        },
      );
      worker.on('error', (fault) => {
        if (!this.#memory.shut(fault)) onFault('queue', fault);
      });
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
    this.#draining.abort();
    this.#door.close();
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
      this.#memory.close();
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
      const pulled = pulledJob(job);
      const ports = this.#ports(pulled, lane, abort.signal);
      await observeJob(pulled, lane, ports, abort.signal, this.#parts.events);
      await this.#forget(job);
      return null;
    } catch (thrown) {
      const error = FarmError.from(thrown);
      if (error instanceof SettledFailure) await this.#forget(job);
      if (error.code === 'cancelled') await giveBack(job, token);
      // The one place where a FarmError becomes BullMQ's.
      if (!error.retryable) throw new UnrecoverableError(error.message);
      const doublings = Math.min(job.attemptsMade, MAX_ATTEMPTS);
      await rest(RETRY_REST_MS * 2 ** doublings, abort.signal, this.#draining.signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
      held.delete(abort);
      if (held.size === 0) this.#held.delete(requestId);
    }
  }

  /** Beside others, but never beside a suspect. */
  async #encodeInside(...[texts, options, call]: Parameters<Encoder['encode']>): Promise<VectorBlock> {
    const leave = await this.#door.enter(call.signal);
    return await this.#parts.encoder.encode(texts, options, call).finally(leave);
  }

  #ports({ enqueuedAtMs }: PulledJob, lane: Lane, signal: AbortSignal): JobPorts {
    const { redis, keys, clock, registration, encoder, workerId, options, hasLostName, stats } = this.#parts;
    const { model } = registration;
    const finish: JobPorts['finish'] = (job, chunk) => {
      const what = `storing chunk ${job.chunkIndex} of ${job.requestId} (${chunk.status})`;
      const settle = () => this.#whenRoom(what, () => finishChunk(redis, keys, job, workerId, chunk, lane));
      return stats.settle(settle, { job, lane, model, ...chunk }, enqueuedAtMs);
    };
    const alone: AlonePorts = {
      runs: this.#suspects,
      door: this.#door,
      encoder,
      whenRoom: (write) => this.#whenRoom('marking a suspect', write),
      // By then the stalled check of the other lane has brought back its own.
      letOthersPass: () => rest(options.stalledIntervalMs, signal, this.#draining.signal),
    };
    return {
      fingerprint: registration.fingerprint,
      nowMs: () => clock.nowMs(),
      hasLostName,
      start: (job) => startChunk(redis, keys, job, lane),
      encode: (texts, encodeOptions, call) => this.#encoder.encode(texts, encodeOptions, call),
      encodeAlone: (job, call) => encodeAlone(job, alone, call),
      settleBroken: (pulled, error) =>
        this.#whenRoom(`settling the broken job ${pulled.id}`, () =>
          settleBrokenJob(redis, keys, pulled, error, finish),
        ),
      finish,
    };
  }

  /** What Redis has no memory for is kept in hand until it has: the work is done. */
  async #whenRoom<Value>(what: string, write: () => Promise<Value>): Promise<Value> {
    for (;;) {
      try {
        return await write();
      } catch (fault) {
        if (this.#draining.signal.aborted || !this.#memory.shut(fault)) throw fault;
        this.#parts.onFault(what, fault);
        await this.#memory.room();
      }
    }
  }

  /** Marks of a settled chunk are worth nothing; what Redis does not take away now has a time to live. */
  async #forget({ id, stalledCounter }: Job): Promise<void> {
    if (id === undefined || stalledCounter === 0) return;
    await this.#suspects.forget(id).catch((fault: unknown) => this.#parts.onFault('suspect', fault));
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
