import { Worker, type Job, type JobJson, type Processor, type WorkerOptions } from 'bullmq';
import { setTimeout as rest } from 'node:timers/promises';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { JOB_TERMS } from './encode-queue.ts';
import { mendJobs, type MendPorts } from './mend-jobs.ts';

/** What stands in for data that is not JSON: no EncodeJob either, so it is settled as one that is broken. */
const NOT_JSON = JSON.stringify('data that is not JSON');
/** After a job, or a lane, that was written over. */
const FAULT_REST_MS = 20;
/** Further counters of a job are none. */
const MAX_COUNT = 1e9;

/**
 * A BullMQ worker to whom every job comes, whatever stands in its hash: one that BullMQ could not read, or
 * would fail, delay or keep by itself, would leave its chunk open. Attempts and keeping are this worker's
 * terms, not the job's; waiting between attempts is the puller's, as BullMQ would wait by the host's clock.
 */
export class ChunkWorker extends Worker {
  readonly #redis: FarmRedis;
  #mending: Promise<void> | undefined;
  #isDue = false;

  constructor(
    name: string,
    processor: Processor,
    options: Omit<WorkerOptions, 'connection'> & { readonly connection: FarmRedis },
  ) {
    super(name, processor, options);
    this.#redis = options.connection;
    this.on('error', (fault) => {
      if (isOfJob(fault)) this.#mendActive();
    });
  }

  protected override createJob(stored: JobJson, jobId: string): Job {
    const { deferredFailure, repeatJobKey, parent, parentKey, deduplicationId, ...own } = stored;
    const isForeign = [deferredFailure, repeatJobKey, parent, parentKey, deduplicationId].some(Boolean);
    const counts = [own.attemptsMade, own.attemptsStarted, own.stalledCounter];
    // On its way before the job's end, by the same connection.
    if (isForeign || !counts.every(isCount)) {
      mendJobs(this.#mendPorts(), [jobId]).catch((fault: unknown) => this.emit('error', asError(fault)));
    }
    const { backoff: _, ...opts } = own.opts;
    const job: JobJson = { ...own, id: jobId, opts: { ...opts, ...JOB_TERMS } };
    try {
      return super.createJob(job, jobId);
    } catch {
      return super.createJob({ ...job, data: NOT_JSON }, jobId);
    }
  }

  /** BullMQ asks again at once; where a lane itself was written over that would be all that it does. */
  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    try {
      return await super.moveToActive(token, name);
    } catch (thrown) {
      if (isOfJob(asError(thrown))) await rest(FAULT_REST_MS);
      throw thrown;
    }
  }

  /** One at a time, and once more where a fault comes meanwhile. */
  #mendActive(): void {
    this.#isDue = this.#mending !== undefined;
    this.#mending ??= mendJobs(this.#mendPorts())
      // The next fault has it done again.
      .catch(() => undefined)
      .finally(() => {
        this.#mending = undefined;
        if (this.#isDue && !this.closing) this.#mendActive();
      });
  }

  #mendPorts(): MendPorts {
    return { redis: this.#redis, toKey: (part) => this.toKey(part) };
  }
}

/** What a job's own hash is to blame for, and no connection: read as JSON, or met by a script. */
function isOfJob(fault: Error): boolean {
  return (
    fault instanceof SyntaxError ||
    fault instanceof TypeError ||
    /^WRONGTYPE|^Missing key|is not an integer|would overflow|user_script/.test(fault.message)
  );
}

function isCount(count: number | undefined): boolean {
  return count === undefined || (count >= 0 && count < MAX_COUNT);
}

function asError(fault: unknown): Error {
  return fault instanceof Error ? fault : new Error(String(fault));
}
