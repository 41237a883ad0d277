import { encodeJobId, queueName, type EncodeJob, type Lane } from '@embedfarm/contract';
import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';

/** A failed job is kept for a look: a day, and no more than these. */
const KEEP_FAILED = { age: 86_400, count: 1_000 };
/** Tries of a chunk that failed for a reason that may pass. */
export const MAX_ATTEMPTS = 3;
/** Events of a queue that BullMQ keeps: nobody replays them, the dashboard reads counts. */
const MAX_EVENTS = 100;
/**
 * How a chunk's job is tried and kept. No `backoff`: BullMQ's delayed set goes by the clock of the host that
 * delays, and one that is 5 minutes ahead would put a retry 5 minutes away. The worker waits instead.
 */
export const JOB_TERMS = {
  attempts: MAX_ATTEMPTS,
  removeOnComplete: true,
  removeOnFail: KEEP_FAILED,
  stackTraceLimit: 1,
} as const;
/**
 * Every bulk job has a priority: removing one of n then costs O(log n), not O(n), and the fair
 * share takes its place here later. Equal priorities are first in, first out.
 */
const BULK_PRIORITY = 1;

/** The chunk jobs of one lane of one model, as a producer sees them. */
export class EncodeQueue {
  readonly lane: Lane;
  readonly #queue: Queue;

  private constructor(lane: Lane, queue: Queue) {
    this.lane = lane;
    this.#queue = queue;
  }

  /** `redis` is shared, and stays open when the queue is closed. */
  static open(redis: Redis, prefix: string, model: string, lane: Lane): EncodeQueue {
    const queue = new Queue(queueName(model, lane), {
      connection: redis,
      prefix,
      streams: { events: { maxLen: MAX_EVENTS } },
    });
    // Connection faults are the connection's to report; every call has its own deadline.
    queue.on('error', () => undefined);
    return new EncodeQueue(lane, queue);
  }

  /** Adds the jobs with one call, all or none. A job whose id is known already is not added again. */
  async enqueue(jobs: readonly EncodeJob[], nowMs: number): Promise<void> {
    const [only] = jobs;
    if (only !== undefined && jobs.length === 1) {
      await this.#queue.add(jobName(only), only, this.#jobOptions(only, nowMs));
      return;
    }
    await this.#queue.addBulk(
      jobs.map((job) => ({ name: jobName(job), data: job, opts: this.#jobOptions(job, nowMs) })),
    );
  }

  /** Takes waiting jobs away. @returns the ids that were waiting; an active job is not touched. */
  async remove(jobIds: readonly string[]): Promise<string[]> {
    const removed = await Promise.all(jobIds.map((jobId) => this.#queue.remove(jobId).catch(() => 0)));
    return jobIds.filter((_, index) => removed[index] === 1);
  }

  /** Keys that tell what became of a job: its own, and the set of failed ones. */
  jobKeys(jobId: string): { job: string; failed: string } {
    return { job: this.#queue.toKey(jobId), failed: this.#queue.toKey('failed') };
  }

  /** Why a failed job failed. */
  async failedReason(jobId: string): Promise<string | undefined> {
    return (await this.#queue.getJob(jobId))?.failedReason;
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  #jobOptions(job: EncodeJob, nowMs: number): JobsOptions {
    return {
      jobId: encodeJobId(job.requestId, job.chunkIndex),
      timestamp: nowMs,
      ...JOB_TERMS,
      ...(this.lane === 'bulk' ? { priority: BULK_PRIORITY } : {}),
    };
  }
}

/** The number of texts, which is known then even where a job's data cannot be read. */
function jobName({ texts }: EncodeJob): string {
  return `${texts.length} texts`;
}

/** The number of texts that a job's name tells; undefined for a name that is none of ours. */
export function textsOfName(name: string): number | undefined {
  const [, texts] = /^(\d{1,6}) texts$/.exec(name) ?? [];
  return texts === undefined ? undefined : Number(texts);
}
