import {
  encodeJobId,
  FarmError,
  type EncodeJob,
  type ReplyStatus,
  type VectorBlock,
} from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { EncodeQueue } from '../queue/encode-queue.ts';

/** How a chunk ended, for the calls that have texts in it. */
export interface SettledChunk {
  readonly status: ReplyStatus;
  readonly block: VectorBlock;
}

/** One chunk that a client waits for. */
export interface PendingChunk {
  readonly jobId: string;
  readonly job: EncodeJob;
  readonly queue: EncodeQueue;
  readonly settle: (chunk: SettledChunk) => void;
  readonly fail: (error: FarmError) => void;
  /** Local monotonic ms of the last enqueue; undefined until Redis has said yes. */
  enqueuedAt: number | undefined;
  /** Settles when Redis has answered the enqueue, either way; undefined before it was asked. */
  sending: Promise<unknown> | undefined;
  /** How often it was enqueued again because it was nowhere. */
  requeues: number;
}

/** The chunks a client waits for, by job id. Each is settled once, whoever brings the news. */
export class PendingChunks {
  readonly #chunks = new Map<string, PendingChunk>();

  add(
    job: EncodeJob,
    queue: EncodeQueue,
    settle: (chunk: SettledChunk) => void,
    fail: (error: FarmError) => void,
  ): PendingChunk {
    const jobId = encodeJobId(job.requestId, job.chunkIndex);
    const chunk: PendingChunk = {
      jobId,
      job,
      queue,
      settle,
      fail,
      enqueuedAt: undefined,
      sending: undefined,
      requeues: 0,
    };
    this.#chunks.set(jobId, chunk);
    return chunk;
  }

  get(jobId: string): PendingChunk | undefined {
    return this.#chunks.get(jobId);
  }

  settle(jobId: string, settled: SettledChunk): void {
    const chunk = this.#take(jobId);
    if (!chunk) return;
    const texts = settled.block.tokens.length;
    if (texts === chunk.job.texts.length) return chunk.settle(settled);
    const [failure] = settled.block.failures;
    // A job whose data could not be read may be settled with another number of texts.
    if (settled.status !== 'done' && failure) {
      return chunk.fail(new FarmError(failure.code, failure.message));
    }
    chunk.fail(
      new FarmError(
        'internal',
        `the result of ${jobId} holds ${texts} texts, ${chunk.job.texts.length} were sent`,
      ),
    );
  }

  fail(jobId: string, error: FarmError): void {
    this.#take(jobId)?.fail(error);
  }

  /** Nobody waits for it any more. */
  drop(jobId: string): void {
    this.#chunks.delete(jobId);
  }

  /** Chunks enqueued more than `ageMs` ago. */
  olderThan(ageMs: number): PendingChunk[] {
    const before = performance.now() - ageMs;
    return [...this.#chunks.values()].filter(
      ({ enqueuedAt }) => enqueuedAt !== undefined && enqueuedAt <= before,
    );
  }

  #take(jobId: string): PendingChunk | undefined {
    const chunk = this.#chunks.get(jobId);
    this.#chunks.delete(jobId);
    return chunk;
  }
}
