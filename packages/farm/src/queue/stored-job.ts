import { encodeJobId, type EncodeJob } from '@embedfarm/contract';
import type { JobJson, JobsOptions } from 'bullmq';
import type { ChunkShare } from './fair-share.ts';

/** A failed job is kept for a look, and for a retry: a day (`age` is in s), and no more than these. */
export const KEEP_FAILED = { age: 86_400, count: 1_000 };
/** Tries of a chunk that failed for a reason that may pass. */
export const MAX_ATTEMPTS = 3;
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

/** Where a bulk job stands in its lane. */
export interface JobPlace {
  readonly priority: number;
  readonly share: ChunkShare | undefined;
}

/**
 * A chunk's job in the form that BullMQ hands to the backend of its queue, which adds it. The way there, a `Job` made
 * and taken to pieces again for what only other jobs have (parents, repetition, deduplication, a span), cost a client
 * of seven calls a second a tenth of its CPU. The test holds both ways against each other.
 */
export function storedJob(job: EncodeJob, nowMs: number, place: JobPlace | undefined): JobJson {
  const jobId = encodeJobId(job.requestId, job.chunkIndex);
  const opts: JobsOptions = { ...JOB_TERMS, jobId, timestamp: nowMs, ...place };
  return {
    id: jobId,
    // The number of texts, which is known then even where a job's data cannot be read.
    name: `${job.texts.length} texts`,
    data: JSON.stringify(job),
    opts,
    timestamp: nowMs,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    failedReason: '',
    returnvalue: 'null',
  };
}
