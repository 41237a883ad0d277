import { FarmError, type VectorBlock } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import { IDLE_TIMEOUT_MS, type CallOptions } from '../producer/encode-call.ts';
import type { EncodedTexts } from '../producer/encoded-texts.ts';
import { noAnswer, withDeadline } from '../redis/with-deadline.ts';
import { checkNotCancelled, concludeRequest, joinRequest, tooLate } from './conclude-request.ts';
import { consumeAll } from './consume-chunks.ts';
import { requestChunks, type ReadOptions, type ReadPorts } from './request-chunks.ts';
import { hasEnded, readRequest, type RequestRecord } from './request-record.ts';

/** Between two looks at a request; grows, so that a long request costs few. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 1_000;
/** The look at the deadline itself, which says how far the request is, has this long. */
const LAST_STEP_MS = 200;

/**
 * Waits for a submitted request's end, whichever it is.
 *
 * @throws FarmError `deadline_exceeded` after 60 s without progress, or `timeoutMs`; `result_expired`; `cancelled`
 *   on abort.
 */
export async function awaitRequest(
  ports: ReadPorts,
  requestId: string,
  call: CallOptions,
  isDone: (record: RequestRecord) => boolean = hasEnded,
): Promise<RequestRecord> {
  const startedAt = performance.now();
  let lookMs = FIRST_LOOK_MS;
  let settled = -1;
  let deadlineAt = startedAt + (call.timeoutMs ?? IDLE_TIMEOUT_MS);
  for (;;) {
    const reading = readRequest(ports.redis, ports.keys, requestId, ports.nowMs());
    const timeoutMs = Math.max(LAST_STEP_MS, deadlineAt - performance.now());
    const record = await withDeadline(reading, { signal: call.signal, timeoutMs }, noAnswer);
    if (record.chunksSettled !== settled) {
      settled = record.chunksSettled;
      call.onProgress?.({ done: record.textsDone + record.textsFailed, total: record.texts });
      if (call.timeoutMs === undefined) deadlineAt = performance.now() + IDLE_TIMEOUT_MS;
    }
    if (isDone(record)) return record;
    if (performance.now() > deadlineAt) throw tooLate(record);
    const restMs = Math.min(lookMs, Math.max(1, deadlineAt - performance.now()));
    await withDeadline(rest(restMs), { signal: call.signal }, noAnswer);
    lookMs = Math.min(lookMs * 1.5, LAST_LOOK_MS);
  }
}

/**
 * Waits for a submitted request's end, then reads all its vectors, in order. Texts that failed are in the block's
 * failures.
 *
 * @throws FarmError `cancelled` when the request or this call was; `deadline_exceeded`; `result_expired`; the first
 *   text's error when no text has a vector.
 */
export async function awaitResult(
  ports: ReadPorts,
  requestId: string,
  { consume }: Pick<ReadOptions, 'consume'>,
  call: CallOptions,
): Promise<EncodedTexts> {
  const startedAt = performance.now();
  const record = await awaitRequest(
    ports,
    requestId,
    call,
    (seen) => hasEnded(seen) || seen.state === 'cancelled',
  );
  checkNotCancelled(record);
  const blocks: VectorBlock[] = [];
  const { signal, timeoutMs } = call;
  const left = {
    signal,
    timeoutMs: timeoutMs && Math.max(LAST_STEP_MS, timeoutMs - (performance.now() - startedAt)),
  };
  for await (const { block } of requestChunks(ports, requestId, {}, left)) blocks.push(block);
  const block = joinRequest(blocks);
  if (block.tokens.length !== record.texts) {
    throw new FarmError(
      'internal',
      `request ${requestId} has ${record.texts} texts, its results have ${block.tokens.length}`,
    );
  }
  if (consume === true) await consumeAll(ports.redis, ports.keys, record);
  return concludeRequest(record, block, startedAt);
}
