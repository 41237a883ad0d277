import { randomUUID } from 'node:crypto';
import os from 'node:os';
import {
  FarmError,
  LANES,
  parseOptions,
  redisKeys,
  type ModelRegistration,
  type RedisKeys,
} from '@embedfarm/contract';
import type { z } from 'zod';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { ModelRegistry } from '../redis/model-registry.ts';
import { RedisClock } from '../redis/redis-clock.ts';
import { sampleStats } from '../redis/stats.ts';
import { lostBlock, TEND_MS, tendRequests } from '../request/tend-requests.ts';
import { syncAdmission } from '../redis/sync-admission.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { WebhookDeliverer } from '../webhook/webhook-deliverer.ts';
import type { Encoder } from './encoder.ts';
import { farmWorkerOptionsSchema, type FarmWorkerOptions } from './farm-worker-options.ts';
import { finishChunk } from './finish-chunk.ts';
import { JobPuller } from './job-puller.ts';
import type { JobEvents } from './observe-job.ts';
import { WorkerStats } from '../stats/worker-stats.ts';
import { workerReport } from './worker-report.ts';
import { isAnswering } from '../redis/is-answering.ts';
import { waitUntilUp } from './wait-until-up.ts';

export type { Encoder, FinishedBatch } from './encoder.ts';
export type { FarmWorkerOptions } from './farm-worker-options.ts';
export type { JobEnd, JobEvents, JobOutcome } from './observe-job.ts';

/** Backlog and number of clients are recorded once a second, by whoever comes first. */
const SAMPLE_MS = 1_000;
/** Longest a worker that closes waits for Redis to hear of it. */
const LEAVE_MS = 1_000;

/**
 * - `running`: pulls jobs.
 * - `draining`: pulls no more; jobs in the engine may finish until the grace time is over.
 * - `refused`: another fingerprint holds the model's name; pulls nothing until that is gone.
 * - `closed`: holds no connection and no timer.
 */
export type WorkerState = 'running' | 'draining' | 'refused' | 'closed';

/** What tells others of jobs, and of faults that stop nothing. */
export interface WorkerEvents extends JobEvents {
  onFault?: (what: string, fault: unknown) => void;
}

/** Pulls a model's chunk jobs, has them encoded, and reports itself. */
export class FarmWorker {
  readonly workerId: string;
  readonly #registration: ModelRegistration;
  readonly #encoder: Encoder;
  readonly #redis: FarmRedis;
  readonly #subscriber: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #registry: ModelRegistry;
  readonly #clock: RedisClock;
  readonly #puller: JobPuller;
  readonly #stats: WorkerStats;
  readonly #startedAtMs: number;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #onFault: (what: string, fault: unknown) => void;
  #webhooks: WebhookDeliverer | undefined;
  #state: WorkerState = 'running';
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    workerId: string;
    registration: ModelRegistration;
    encoder: Encoder;
    redis: FarmRedis;
    subscriber: FarmRedis;
    keys: RedisKeys;
    clock: RedisClock;
    puller: JobPuller;
    stats: WorkerStats;
    onFault: (what: string, fault: unknown) => void;
  }) {
    this.workerId = parts.workerId;
    this.#registration = parts.registration;
    this.#encoder = parts.encoder;
    this.#redis = parts.redis;
    this.#subscriber = parts.subscriber;
    this.#keys = parts.keys;
    this.#registry = new ModelRegistry(parts.redis, parts.keys);
    this.#clock = parts.clock;
    this.#puller = parts.puller;
    this.#stats = parts.stats;
    this.#onFault = parts.onFault;
    this.#startedAtMs = parts.clock.nowMs();
  }

  /**
   * Registers the model, then pulls. Waits for Redis as long as `signal` lets it.
   *
   * @throws FarmError `model_changed` when live workers serve something else under the name;
   * `invalid_argument`; `cancelled`.
   */
  static async open(
    registration: ModelRegistration,
    encoder: Encoder,
    options: FarmWorkerOptions,
    { onFault = ignoreFault, signal, ...events }: WorkerEvents & { signal?: AbortSignal } = {},
  ): Promise<FarmWorker> {
    const resolved = parseOptions('worker options', farmWorkerOptionsSchema, options);
    const keys = redisKeys(resolved.prefix);
    const redis = connectRedis(resolved.redis);
    const subscriber = connectRedis(resolved.redis);
    try {
      await waitUntilUp(redis, resolved.redis, keys, signal, onFault);
      const clock = await RedisClock.open(redis, keys);
      const workerId = `${os.hostname().slice(0, 40)}-${process.pid}-${randomUUID().slice(0, 8)}`;
      const stats = new WorkerStats({ redis, keys, encoder, nowMs: () => clock.nowMs(), onFault });
      const puller = new JobPuller({
        redis,
        keys,
        clock,
        registration,
        encoder,
        workerId,
        options: resolved,
        onFault,
        events,
        stats,
        hasLostName: () => worker.#hasLostName(),
      });
      const worker: FarmWorker = new FarmWorker({
        workerId,
        registration,
        encoder,
        redis,
        subscriber,
        keys,
        clock,
        puller,
        stats,
        onFault,
      });
      await worker.#registry.heartbeat(registration, workerId, worker.#report());
      await worker.#start(resolved.heartbeatMs);
      await worker.#deliver(resolved);
      return worker;
    } catch (thrown) {
      disconnectRedis(redis);
      disconnectRedis(subscriber);
      throw thrown;
    }
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Whether Redis answers, asked now; `false` at once without a connection, else after `timeoutMs`. */
  async isRedisUp({ timeoutMs = 500 }: { timeoutMs?: number } = {}): Promise<boolean> {
    return await isAnswering(this.#redis, this.#keys, timeoutMs);
  }

  /** Jobs that this worker holds. */
  get heldJobs(): number {
    return this.#puller.heldJobs;
  }

  /**
   * Drains, then lets go of everything. Jobs that the engine has not begun go back to the queue;
   * begun ones may finish for `graceMs`, then they go back too. Safe to call twice.
   */
  close({ graceMs = 90_000 }: { graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #start(heartbeatMs: number): Promise<void> {
    this.#subscriber.on('message', (_channel, requestId) => this.#puller.cancel(requestId));
    await this.#subscriber.subscribe(this.#keys.cancel);
    this.#stats.start();
    for (const lane of LANES) this.#puller.pull(lane);
    this.#timers.push(
      setInterval(() => void this.#beat(), heartbeatMs),
      setInterval(() => void this.#sample(), SAMPLE_MS),
      setInterval(() => void this.#tend(), TEND_MS),
    );
  }

  async #deliver({ webhooks, ...options }: z.output<typeof farmWorkerOptionsSchema>): Promise<void> {
    if (!webhooks) return;
    this.#webhooks = await WebhookDeliverer.open({
      redis: this.#redis,
      keys: this.#keys,
      nowMs: () => this.#clock.nowMs(),
      options: webhooks,
      lockDurationMs: options.lockDurationMs,
      stalledIntervalMs: options.stalledIntervalMs,
      heartbeatMs: options.heartbeatMs,
      onFault: this.#onFault,
    });
  }

  async #beat(): Promise<void> {
    try {
      await this.#clock.sync(this.#redis);
      await this.#registry.heartbeat(this.#registration, this.workerId, this.#report());
      if (this.#state === 'refused') {
        this.#state = 'running';
        this.#puller.resume('refused');
      }
      await syncAdmission(this.#redis, this.#keys, { ifDue: true });
    } catch (fault) {
      if (isModelChanged(fault) && this.#state === 'running') {
        this.#state = 'refused';
        this.#puller.pause('refused');
      }
      this.#onFault('heartbeat', fault);
    }
  }

  async #hasLostName(): Promise<boolean> {
    await this.#beat();
    return this.#state === 'refused';
  }

  async #sample(): Promise<void> {
    try {
      await sampleStats(this.#redis, this.#keys, await this.#registry.names());
    } catch (fault) {
      this.#onFault('stats', fault);
    }
  }

  async #tend(): Promise<void> {
    const redis = this.#redis;
    const keys = this.#keys;
    try {
      await tendRequests({
        redis,
        keys,
        nowMs: () => this.#clock.nowMs(),
        settleLost: (job, lane) => {
          const lost = { status: 'failed', block: lostBlock(job.texts.length) } as const;
          const finish = () => finishChunk(redis, keys, job, this.workerId, lost);
          return this.#stats.settle(finish, { job, lane, model: job.model, ...lost });
        },
      });
    } catch (fault) {
      this.#onFault('open requests', fault);
    }
  }

  #report(): string {
    const { workerId } = this;
    const state = this.#state === 'closed' ? 'draining' : this.#state;
    const own = { workerId, state, startedAtMs: this.#startedAtMs };
    return JSON.stringify(workerReport(this.#registration, this.#encoder, own));
  }

  async #close(graceMs: number): Promise<void> {
    this.#state = 'draining';
    for (const timer of this.#timers) clearInterval(timer);
    const faults: unknown[] = [];
    const drained = await Promise.allSettled([this.#puller.close(graceMs), this.#webhooks?.close(graceMs)]);
    for (const end of drained) if (end.status === 'rejected') faults.push(end.reason);
    await this.#stats.close();
    // With Redis down there is nobody to take leave of: the heartbeat's time to live does it.
    if (this.#redis.status === 'ready') {
      const leaving = this.#registry.leave(this.#registration.model, this.workerId);
      await withDeadline(
        leaving,
        { timeoutMs: LEAVE_MS },
        () => new FarmError('redis_unavailable', `Redis did not answer within ${LEAVE_MS} ms`),
      ).catch((fault: unknown) => faults.push(fault));
    }
    disconnectRedis(this.#subscriber);
    disconnectRedis(this.#redis);
    this.#state = 'closed';
    if (faults.length > 0) throw new AggregateError(faults, 'the worker closed with faults');
  }
}

function isModelChanged(fault: unknown): boolean {
  return fault instanceof Error && 'code' in fault && fault.code === 'model_changed';
}

function ignoreFault(): void {
  // The caller did not ask.
}
