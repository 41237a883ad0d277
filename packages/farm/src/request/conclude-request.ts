import { failedBlock, FarmError, joinBlocks, type VectorBlock } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { EncodedTexts } from '../producer/encoded-texts.ts';
import type { RequestRecord } from './request-record.ts';

/**
 * All vectors of a request that has ended, in order.
 *
 * @param startedAt monotonic ms at which its caller began to wait.
 * @throws FarmError of the first text when no text has a vector.
 */
export function concludeRequest(
  record: Pick<RequestRecord, 'model' | 'state'>,
  block: VectorBlock,
  startedAt: number,
): EncodedTexts {
  const [failure] = block.failures;
  if (record.state === 'failed' && failure) throw new FarmError(failure.code, failure.message);
  const timing = { ...block.timing, totalMs: performance.now() - startedAt };
  return { model: record.model, block, timing };
}

/** The blocks of a request as one; it has none where it was an iterable that gave no text. */
export function joinRequest(blocks: readonly VectorBlock[]): VectorBlock {
  return blocks.length === 0 ? { ...failedBlock(0, 'internal', ''), failures: [] } : joinBlocks(blocks);
}

/** @throws FarmError `cancelled` for the result of a request that was taken back. */
export function checkNotCancelled({ requestId, state }: Pick<RequestRecord, 'requestId' | 'state'>): void {
  if (state !== 'cancelled') return;
  throw new FarmError('cancelled', `request ${requestId} was cancelled; its rows that were done can be read`);
}

/** A request that is still on its way at somebody's deadline. */
export function tooLate({ requestId, state, textsDone, texts }: RequestRecord): FarmError {
  return new FarmError(
    'deadline_exceeded',
    `request ${requestId} is ${state}, ${textsDone} of ${texts} texts are done`,
  );
}

/** Results of a request that runs cannot be discarded. */
export function stillRuns({ requestId, state }: RequestRecord): FarmError {
  return new FarmError('invalid_argument', `request ${requestId} is ${state}: cancel it, or wait for it`);
}

/** A retry of a request that has no failed texts. */
export function nothingFailed(requestId: string): FarmError {
  return new FarmError('invalid_argument', `nothing of request ${requestId} has failed`);
}

/** A retry of a request whose failed texts are not there. */
export function nothingKept(requestId: string): FarmError {
  return new FarmError(
    'result_expired',
    `no failed chunk of request ${requestId} is kept: they are for a day, and texts that failed alone are not`,
  );
}

/** A producer that fills a request which somebody has taken back. */
export function takenBack(requestId: string): FarmError {
  return new FarmError('cancelled', `request ${requestId} was cancelled`);
}

/** A producer that fills a request which was ended in its place. */
export function notHeardOf(requestId: string): FarmError {
  return new FarmError('redis_unavailable', `request ${requestId} was ended: its producer was not heard of`);
}
