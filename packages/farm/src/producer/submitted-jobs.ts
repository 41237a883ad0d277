import type { EncodeJob } from '@embedfarm/contract';
import { chunkLoad, type Load } from '../queue/chunk-load.ts';
import type { GatheredChunk } from '../request/gather-chunks.ts';
import type { SharedTerms } from './coalesce.ts';

/** What the jobs of a submitted request have in common. */
export interface SubmittedJobTerms {
  readonly requestId: string;
  readonly clientId: string;
  readonly terms: SharedTerms;
  readonly resultTtlMs: number;
  /** The trace that the request belongs to: see traceSubmit. */
  readonly trace: string | undefined;
}

/** The jobs of consecutive chunks, of which the first has the index `from`. */
export function submittedJobs(
  slice: readonly GatheredChunk[],
  from: number,
  { requestId, clientId, terms, resultTtlMs, trace }: SubmittedJobTerms,
): EncodeJob[] {
  const { registration, options, tenant, cacheTtlMs } = terms;
  return slice.map((chunk, index) => ({
    version: 1,
    requestId,
    chunkIndex: from + index,
    clientId,
    model: registration.model,
    fingerprint: registration.fingerprint,
    texts: chunk.texts,
    options,
    ...(tenant === undefined ? {} : { tenant }),
    tracked: true,
    awaited: false,
    ...(chunk.refused.length === 0 ? {} : { refused: chunk.refused }),
    reservedBytes: gatheredLoad(chunk, terms).bytes,
    deadlineMs: 0,
    resultTtlMs,
    ...(cacheTtlMs === undefined ? {} : { cacheTtlMs }),
    ...(trace === undefined ? {} : { trace }),
  }));
}

/** What is reserved for a chunk. */
export function gatheredLoad({ texts }: GatheredChunk, { registration, options }: SharedTerms): Load {
  return chunkLoad(texts, registration, options);
}

/** The first text of each chunk, and the end of the last: one number more than chunks. */
export function startsOf(slice: readonly GatheredChunk[], from: number): number[] {
  const starts = [from];
  for (const { texts } of slice) starts.push((starts.at(-1) ?? 0) + texts.length);
  return starts;
}
