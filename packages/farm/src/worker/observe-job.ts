import {
  encodeJobSchema,
  FarmError,
  parseJobId,
  type EncodeTiming,
  type FarmErrorCode,
  type Lane,
  type VectorBlock,
} from '@embedfarm/contract';
import { textsOfName } from '../queue/encode-queue.ts';
import { processJob, SettledFailure, type JobPorts, type PulledJob } from './process-job.ts';
import { sumCounts } from './sum-counts.ts';

/**
 * How a worker was done with a job.
 *
 * - `done`, `failed`, `cancelled`: its chunk is stored as that; of a `done` one texts may have failed.
 * - `retried`: it failed for a reason that may pass, and runs again.
 * - `returned`: it went back to the queue, as this worker drains or has lost the model's name.
 * - `skipped`: nobody wants it any more, or it was settled before.
 */
export type JobOutcome = 'done' | 'failed' | 'cancelled' | 'retried' | 'returned' | 'skipped';

/** A job that has left the worker. No text and no vector is in it. */
export interface JobEnd {
  /** Empty for a job whose id names no chunk. */
  readonly requestId: string;
  readonly chunkIndex: number;
  readonly lane: Lane;
  readonly outcome: JobOutcome;
  /** Why it did not end as `done`, where there is a reason. */
  readonly code: FarmErrorCode | undefined;
  readonly texts: number;
  readonly tokens: number;
  /** Texts without a vector, by reason. */
  readonly failures: readonly { readonly code: FarmErrorCode; readonly texts: number }[];
  /** `queueMs` for every job; the rest is 0 where it was not encoded here. */
  readonly timing: EncodeTiming;
  /** Storing and announcing the result. */
  readonly storeMs: number;
  /** From the enqueue to the end, in ms. */
  readonly totalMs: number;
  /** The trace that its call belongs to, where it is traced: see EncodeJob. */
  readonly trace: string | undefined;
  /** Whether its worker had died before, so that it ran alone. */
  readonly isSuspect: boolean;
}

/** What a worker tells of its jobs. */
export interface JobEvents {
  onJobEnd?: (end: JobEnd) => void;
  /** Texts that were looked up in the cache and answered here, and those of them that it had. */
  onCacheLookup?: (counts: { lookups: number; hits: number }) => void;
}

/** `processJob`, and tells once how it ended. Costs nothing where nobody asks. */
export async function observeJob(
  pulled: PulledJob,
  lane: Lane,
  ports: JobPorts,
  signal: AbortSignal,
  { onJobEnd }: JobEvents,
): Promise<void> {
  if (!onJobEnd) return await processJob(pulled, lane, ports, signal);
  const queueMs = Math.max(0, ports.nowMs() - pulled.enqueuedAtMs);
  const { requestId = '', chunkIndex = 0 } = parseJobId(pulled.id ?? '') ?? {};
  let stored: Stored | undefined;
  const note = async (chunk: Pick<Stored, 'status' | 'block'>, store: () => Promise<void>): Promise<void> => {
    const startedMs = performance.now();
    await store();
    stored = { ...chunk, storeMs: performance.now() - startedMs };
  };
  const observed: JobPorts = {
    ...ports,
    finish: (job, chunk) => note(chunk, () => ports.finish(job, chunk)),
  };
  const tell = (thrown?: FarmError): void => {
    const block = stored?.block;
    const outcome = stored?.status ?? outcomeOf(thrown);
    onJobEnd({
      requestId,
      chunkIndex,
      lane,
      outcome,
      code: thrown?.code ?? (outcome === 'cancelled' ? 'cancelled' : undefined),
      texts: block?.tokens.length ?? textsOfName(pulled.name) ?? 1,
      tokens: block ? sumCounts(block.tokens) : 0,
      failures: failuresOf(outcome, block, thrown),
      timing: { ...NO_TIME, ...(outcome === 'done' ? block?.timing : {}), queueMs },
      storeMs: stored?.storeMs ?? 0,
      totalMs: Math.max(0, ports.nowMs() - pulled.enqueuedAtMs),
      trace: traceOf(pulled.data),
      isSuspect: pulled.stalls > 0,
    });
  };
  try {
    await processJob(pulled, lane, observed, signal);
  } catch (thrown) {
    tell(FarmError.from(thrown));
    throw thrown;
  }
  tell();
}

interface Stored {
  readonly status: 'done' | 'failed' | 'cancelled';
  readonly block: VectorBlock;
  readonly storeMs: number;
}

const NO_TIME: EncodeTiming = { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 };

/** Of a job whose chunk was not stored by this run. */
function outcomeOf(thrown: FarmError | undefined): JobOutcome {
  if (!thrown) return 'skipped';
  if (thrown instanceof SettledFailure) return 'failed';
  return thrown.code === 'cancelled' ? 'returned' : 'retried';
}

function failuresOf(
  outcome: JobOutcome,
  block: VectorBlock | undefined,
  thrown: FarmError | undefined,
): JobEnd['failures'] {
  // A caller who does not want them any more has lost none.
  if (outcome === 'done' || outcome === 'failed') {
    if (block) return block.failures.map(({ code, texts }) => ({ code, texts: texts.length }));
    if (thrown) return [{ code: thrown.code, texts: 1 }];
  }
  return [];
}

/** Also of a job that does not hold together otherwise. */
function traceOf(data: unknown): string | undefined {
  const trace = encodeJobSchema.shape.trace.safeParse((data as { trace?: unknown } | null)?.trace);
  return trace.success ? trace.data : undefined;
}
