import { queueName, redisKeys, type EncodeJob, type Lane } from '@embedfarm/contract';
import { Queue } from 'bullmq';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { claimShares, leaveShares } from './claim-shares.ts';
import { chunkShare, FairShare, type ChunkShare } from './fair-share.ts';
import { storedJob, type JobPlace } from './stored-job.ts';

export { JOB_TERMS, KEEP_FAILED, MAX_ATTEMPTS } from './stored-job.ts';

/** Events of a queue that BullMQ keeps: nobody replays them, the dashboard reads counts. */
const MAX_EVENTS = 100;
/** The chunk jobs of one lane of one model, as a producer sees them. */
export class EncodeQueue {
  readonly lane: Lane;
  readonly #redis: FarmRedis;
  readonly #queue: Queue;
  /**
   * Of the bulk lane, where every job has a priority. It also makes that removing one of n costs O(log n), not O(n).
   * Equal priorities are first in, first out.
   */
  readonly #fairShare: FairShare | undefined;

  private constructor(lane: Lane, redis: FarmRedis, queue: Queue, fairShare: FairShare | undefined) {
    this.lane = lane;
    this.#redis = redis;
    this.#queue = queue;
    this.#fairShare = fairShare;
  }

  /** `redis` is shared, and stays open when the queue is closed. */
  static open(redis: FarmRedis, prefix: string, model: string, lane: Lane): EncodeQueue {
    const queue = new Queue(queueName(model, lane), {
      connection: redis,
      prefix,
      streams: { events: { maxLen: MAX_EVENTS } },
    });
    // Connection faults are the connection's to report; every call has its own deadline.
    queue.on('error', () => undefined);
    const fairShare = lane === 'bulk' ? new FairShare(redis, redisKeys(prefix), model) : undefined;
    return new EncodeQueue(lane, redis, queue, fairShare);
  }

  /** Adds the jobs with one round trip (a bulk lane takes another for their priorities before). A job whose id is known already is not added again. */
  async enqueue(jobs: readonly EncodeJob[], nowMs: number): Promise<void> {
    if (!this.#fairShare) return await this.#add(jobs, nowMs, []);
    const shares = jobs.map(chunkShare);
    const places = (await this.#fairShare.takePriorities(shares)).map((priority, index) => ({
      priority,
      // BullMQ keeps an option that it does not know: who takes the job away gives this back.
      share: shares[index],
    }));
    try {
      await this.#add(jobs, nowMs, places);
    } catch (thrown) {
      // What Redis refuses it refuses from some job on; the few before are given back as well. After a lost
      // connection nobody knows, and nothing is.
      if (isRefusal(thrown)) await this.#fairShare.refund(shares).catch(() => undefined);
      throw thrown;
    }
  }

  /** Takes waiting jobs away. @returns the ids that were waiting; an active job is not touched. */
  async remove(jobIds: readonly string[]): Promise<string[]> {
    const shares = this.#fairShare ? await this.#claimShares(jobIds) : [];
    const answers = await Promise.all(jobIds.map((jobId) => this.#queue.remove(jobId).catch(() => 0)));
    const isRemoved = (_: unknown, index: number): boolean => answers[index] === 1;
    const refunds = shares.filter(isRemoved).filter((share) => share !== undefined);
    // A share that is not given back is no reason to leave the rest of a cancellation undone.
    await this.#fairShare?.refund(refunds).catch(() => undefined);
    const kept = jobIds.filter((_, index) => shares[index] !== undefined && answers[index] !== 1);
    if (kept.length > 0) await leaveShares(this.#redis, this.#keysOf(kept)).catch(() => undefined);
    return jobIds.filter(isRemoved);
  }

  /** Takes away what is kept of a failed job, so that another one may have its id. */
  async forget(jobId: string): Promise<void> {
    await this.#queue.remove(jobId);
  }

  /** Keys that tell what became of a job: its own, the set of failed ones, and the list of those that run. */
  jobKeys(jobId: string): { job: string; failed: string; active: string } {
    const key = (part: string): string => this.#queue.toKey(part);
    return { job: key(jobId), failed: key('failed'), active: key('active') };
  }

  /** Why a failed job failed. */
  async failedReason(jobId: string): Promise<string | undefined> {
    return (await this.#queue.getJob(jobId))?.failedReason;
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #add(jobs: readonly EncodeJob[], nowMs: number, places: readonly JobPlace[]): Promise<void> {
    const [only] = jobs;
    const { backend } = this.#queue;
    if (only !== undefined && jobs.length === 1) {
      const job = storedJob(only, nowMs, places[0]);
      await backend.addJob(job, job.id);
      return;
    }
    await backend.addJobs(
      jobs.map((job, index) => {
        const stored = storedJob(job, nowMs, places[index]);
        return { job: stored, jobId: stored.id };
      }),
    );
  }

  async #claimShares(jobIds: readonly string[]): Promise<(ChunkShare | undefined)[]> {
    return await claimShares(this.#redis, this.#keysOf(jobIds)).catch(() => []);
  }

  #keysOf(jobIds: readonly string[]): string[] {
    return jobIds.map((jobId) => this.#queue.toKey(jobId));
  }
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'ReplyError';
}

/** The number of texts that a job's name tells; undefined for a name that is none of ours. */
export function textsOfName(name: string): number | undefined {
  const [, texts] = /^(\d{1,6}) texts$/.exec(name) ?? [];
  return texts === undefined ? undefined : Number(texts);
}
