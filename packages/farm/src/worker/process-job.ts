import {
  encodeJobId,
  failedBlock,
  FarmError,
  parseEncodeJob,
  type EncodeJob,
  type Lane,
  type VectorBlock,
} from '@embedfarm/contract';
import type { CachedEncoder } from './cached-encoder.ts';
import type { FinishedChunk } from './finish-chunk.ts';
import type { ChunkStart } from './start-chunk.ts';
import { withRefused } from './with-refused.ts';

/** Most characters that are told of what is wrong with a job. */
const MAX_FAULT_LENGTH = 1_000;

/** The job as the queue hands it over. */
export interface PulledJob {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: unknown;
  /** Redis time in ms of the enqueue. */
  readonly enqueuedAtMs: number;
  /** How often its worker died. */
  readonly stalls: number;
  /** How often it failed before. */
  readonly failedAttempts: number;
  readonly isLastAttempt: boolean;
}

/** What processing a job needs of its worker. */
export interface JobPorts {
  readonly fingerprint: string;
  nowMs(): number;
  /** Whether live workers serve something else under the model's name; this one pulls no more then. */
  hasLostName(): Promise<boolean>;
  start(job: EncodeJob): Promise<ChunkStart>;
  encode: CachedEncoder['encode'];
  /** For a chunk whose worker has died before. */
  encodeAlone(job: EncodeJob, call: { signal: AbortSignal; lane: Lane }): Promise<VectorBlock>;
  /** Tells whoever can be told of a job that is none. */
  settleBroken(pulled: PulledJob, error: FarmError): Promise<void>;
  finish(job: EncodeJob, chunk: FinishedChunk): Promise<void>;
}

/**
 * One chunk job, from queue to announcement. Stored before announced, announced before the job ends.
 *
 * @throws FarmError not retryable: the job has failed for good, and whoever could be told is;
 * retryable: nothing was settled, the job is to run again; `cancelled` with `signal` aborted: the
 * worker takes its job back.
 */
export async function processJob(
  pulled: PulledJob,
  lane: Lane,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<void> {
  const job = parsePulled(pulled);
  if (job instanceof FarmError) {
    await ports.settleBroken(pulled, job);
    throw new SettledFailure(job);
  }
  if (job.fingerprint !== ports.fingerprint && (await ports.hasLostName())) {
    throw new FarmError('cancelled', `the model "${job.model}" is another worker's now`);
  }
  const fault = faultOf(job, ports);
  if (fault) return await fail(job, fault, ports);
  // A fresh lone chunk has no record and was never begun: its tombstone is read when it is finished.
  const mayBeSettled = job.tracked || pulled.stalls > 0 || pulled.failedAttempts > 0;
  const start = mayBeSettled ? await ports.start(job) : 'run';
  if (start === 'settled' || start === 'gone') return;
  if (start === 'cancelled') return await cancel(job, ports);

  const queueMs = Math.max(0, ports.nowMs() - pulled.enqueuedAtMs);
  try {
    const { texts, options, cacheTtlMs } = job;
    const call = { signal, lane };
    const block =
      pulled.stalls > 0
        ? await ports.encodeAlone(job, call)
        : await ports.encode(texts, options, { ...call, cacheTtlMs });
    const outcomes = withRefused(block, job.refused);
    await ports.finish(job, {
      status: 'done',
      block: { ...outcomes, timing: { ...block.timing, queueMs } },
    });
  } catch (thrown) {
    const error = FarmError.from(thrown);
    // Cancelled by the request's tombstone, or taken back by the worker: only Redis knows which.
    if (error.code === 'cancelled') {
      if ((await ports.start(job)) === 'cancelled') return await cancel(job, ports);
      throw error;
    }
    if (error.retryable && !pulled.isLastAttempt) throw error;
    await fail(job, error, ports);
  }
}

/** The chunk, or why there is none. */
function parsePulled(pulled: PulledJob): EncodeJob | FarmError {
  try {
    const job = parseEncodeJob(pulled.data);
    const jobId = encodeJobId(job.requestId, job.chunkIndex);
    if (pulled.id === jobId) return job;
    return new FarmError('invalid_argument', `job ${pulled.id} holds chunk ${jobId}`);
  } catch (thrown) {
    const { code, detail } = FarmError.from(thrown);
    // It names what it found, which may be of any length.
    return new FarmError(code, detail.slice(0, MAX_FAULT_LENGTH));
  }
}

/** Why the chunk is not to be encoded at all. */
function faultOf(job: EncodeJob, ports: JobPorts): FarmError | undefined {
  if (job.fingerprint !== ports.fingerprint) {
    return new FarmError(
      'model_changed',
      `the request was made for ${job.model} with fingerprint ${job.fingerprint}, this worker has ${ports.fingerprint}`,
    );
  }
  if (job.deadlineMs > 0 && ports.nowMs() > job.deadlineMs) {
    return new FarmError('deadline_exceeded', 'the deadline passed while the chunk was in the queue');
  }
  return undefined;
}

/** Settles the chunk as failed, then lets the job fail for good. */
async function fail(job: EncodeJob, error: FarmError, ports: JobPorts): Promise<never> {
  await ports.finish(job, {
    status: 'failed',
    block: failedBlock(job.texts.length, error.code, error.detail),
  });
  throw new SettledFailure(error);
}

async function cancel(job: EncodeJob, ports: JobPorts): Promise<void> {
  const block = failedBlock(job.texts.length, 'cancelled', 'the request was cancelled');
  await ports.finish(job, { status: 'cancelled', block });
}

/** The chunk is settled as failed; the job only has to end. */
export class SettledFailure extends FarmError {
  constructor(cause: FarmError) {
    super(cause.code, cause.detail, { cause });
  }

  override get retryable(): boolean {
    return false;
  }
}
