import { Worker, type Job, type JobJson } from 'bullmq';
import { JOB_TERMS } from './encode-queue.ts';

/** What stands in for data that is not JSON: no EncodeJob either, so it is settled as one that is broken. */
const NOT_JSON = JSON.stringify('data that is not JSON');

/**
 * A BullMQ worker to whom every job comes, whatever stands in its hash: one that BullMQ could not read, or
 * would fail, delay or keep by itself, would leave its chunk open. Attempts and keeping are this worker's
 * terms, not the job's; waiting between attempts is the puller's, as BullMQ would wait by the host's clock.
 */
export class ChunkWorker extends Worker {
  protected override createJob(stored: JobJson, jobId: string): Job {
    const { deferredFailure: _, repeatJobKey: __, ...own } = stored;
    const { backoff: ___, ...opts } = own.opts;
    const job: JobJson = { ...own, id: jobId, opts: { ...opts, ...JOB_TERMS } };
    try {
      return super.createJob(job, jobId);
    } catch {
      return super.createJob({ ...job, data: NOT_JSON }, jobId);
    }
  }
}
