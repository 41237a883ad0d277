import { FarmError, type RedisKeys } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import type { Encoder } from '../worker/encoder.ts';
import type { FinishedChunk, Settlement } from '../worker/finish-chunk.ts';
import { WorkerSums, type SettledChunk } from './worker-sums.ts';
import { writeSums } from './write-sums.ts';

/** Between two writes: what a worker that is killed has not told. */
const WRITE_MS = 1_000;
/** Longest the last write may take. */
const LAST_WRITE_MS = 1_000;

export interface WorkerStatsParts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly encoder: Pick<Encoder, 'onBatch'>;
  /** Redis time. */
  readonly nowMs: () => number;
  readonly onFault: (what: string, fault: unknown) => void;
}

/**
 * What a worker does, summed here and told to Redis with one script a second at most. While Redis is away, or has no
 * memory, the sums grow, and count for the minute in which they are told.
 */
export class WorkerStats {
  readonly #parts: WorkerStatsParts;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  #sums = new WorkerSums();
  #writing: Promise<void> | undefined;

  constructor(parts: WorkerStatsParts) {
    this.#parts = parts;
  }

  /** Listens to the engine, and tells Redis from now on. */
  start(): void {
    this.#timer = setInterval(() => void this.flush(), WRITE_MS);
    this.#stopListening = this.#parts.encoder.onBatch?.((batch) => this.#sums.addBatch(batch));
  }

  /**
   * Has a chunk settled, and counts it where that was the first time.
   *
   * @param enqueuedAtMs Redis time; where there is no job any more, now.
   */
  async settle(
    finish: () => Promise<Settlement>,
    chunk: Pick<SettledChunk, 'job' | 'lane' | 'model'> & FinishedChunk,
    enqueuedAtMs = this.#parts.nowMs(),
  ): Promise<void> {
    const startedMs = performance.now();
    const settlement = await finish();
    const { job, lane, model, status, block } = chunk;
    if (settlement !== 'settled' || status === 'cancelled') return;
    const storeMs = performance.now() - startedMs;
    const nowMs = this.#parts.nowMs();
    const totalMs = Math.max(0, nowMs - enqueuedAtMs);
    this.#sums.addChunk({ job, lane, model, status, block, storeMs, totalMs }, nowMs);
  }

  cacheLookedUp(counts: { lookups: number; hits: number }): void {
    this.#sums.addLookups(counts);
  }

  /** Tells what there is. One write is under way at a time; a fault is told, and what it was about is kept. */
  flush(): Promise<void> {
    if (this.#sums.isEmpty || this.#parts.redis.status !== 'ready') return this.#writing ?? Promise.resolve();
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Tells what is left, where Redis listens. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening?.();
    const telling = (async () => {
      await this.#writing;
      await this.flush();
    })();
    const late = (): FarmError =>
      new FarmError('redis_unavailable', 'Redis did not take the last statistics');
    await withDeadline(telling, { timeoutMs: LAST_WRITE_MS }, late).catch((fault: unknown) =>
      this.#parts.onFault('stats', fault),
    );
  }

  async #write(): Promise<void> {
    const { redis, keys, onFault } = this.#parts;
    const told = this.#sums;
    this.#sums = new WorkerSums();
    try {
      await writeSums(redis, keys, told);
    } catch (fault) {
      this.#sums.putBack(told);
      onFault('stats', fault);
    }
  }
}
