import { encodeJobSchema } from '@embedfarm/contract';
import type { Job } from 'bullmq';
import { MAX_ATTEMPTS } from '../queue/encode-queue.ts';
import type { PulledJob } from './process-job.ts';

/** A job of BullMQ's as this farm sees it. */
export function pulledJob(job: Job): PulledJob {
  return {
    id: job.id,
    name: job.name,
    data: job.data,
    enqueuedAtMs: job.timestamp,
    stalls: job.stalledCounter,
    failedAttempts: job.attemptsMade,
    isLastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? MAX_ATTEMPTS),
  };
}

/** The request of a job, also of one that is no chunk; empty where it names none. */
export function requestIdOf(job: Job): string {
  const parsed = encodeJobSchema.shape.requestId.safeParse(
    (job.data as { requestId?: unknown } | null)?.requestId,
  );
  return parsed.success ? parsed.data : '';
}
