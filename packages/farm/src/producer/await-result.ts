import { FarmError, joinBlocks, type RedisKeys } from '@embedfarm/contract';
import type { Redis } from 'ioredis';
import { performance } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import { hasEnded, readRequest, type RequestRecord } from '../redis/request-record.ts';
import { fetchBlocks } from '../redis/result-store.ts';
import { IDLE_TIMEOUT_MS, type CallOptions } from './encode-call.ts';
import type { EncodedTexts } from './encoded-texts.ts';
import { withDeadline } from '../redis/with-deadline.ts';

/** Between two looks at a request; grows, so that a long request costs few. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 1_000;
/** The look at the deadline itself, which says how far the request is, has this long. */
const LAST_STEP_MS = 200;

/**
 * Waits for a submitted request's end, then reads all its vectors, in order. Texts that failed
 * are in the block's failures.
 *
 * @throws FarmError `cancelled` when the request or this call was; `deadline_exceeded`;
 * `result_expired`; the first text's error when no text has a vector.
 */
export async function awaitResult(
  redis: Redis,
  keys: RedisKeys,
  requestId: string,
  options: CallOptions,
): Promise<EncodedTexts> {
  const startedAt = performance.now();
  const record = await awaitEnd(redis, keys, requestId, options, startedAt);
  if (record.state === 'cancelled') throw new FarmError('cancelled', `request ${requestId} was cancelled`);
  const blocks = await within(
    fetchBlocks(redis, keys, requestId, record.chunks, options.signal),
    options,
    startedAt,
  );
  const block = joinBlocks(blocks);
  const [failure] = block.failures;
  if (record.state === 'failed' && failure) throw new FarmError(failure.code, failure.message);
  return {
    model: record.model,
    block,
    timing: { ...block.timing, totalMs: performance.now() - startedAt },
  };
}

/** Looks at the request until it has ended. */
async function awaitEnd(
  redis: Redis,
  keys: RedisKeys,
  requestId: string,
  options: CallOptions,
  startedAt: number,
): Promise<RequestRecord> {
  let lookMs = FIRST_LOOK_MS;
  let settled = -1;
  let deadlineAt = startedAt + (options.timeoutMs ?? IDLE_TIMEOUT_MS);
  for (;;) {
    const record = await within(readRequest(redis, keys, requestId), options, startedAt);
    if (record.chunksSettled !== settled) {
      settled = record.chunksSettled;
      options.onProgress?.({ done: record.textsDone + record.textsFailed, total: record.texts });
      if (options.timeoutMs === undefined) deadlineAt = performance.now() + IDLE_TIMEOUT_MS;
    }
    if (hasEnded(record.state)) return record;
    if (performance.now() > deadlineAt) {
      throw new FarmError(
        'deadline_exceeded',
        `request ${requestId} is ${record.state}, ${record.textsDone} of ${record.texts} texts are done`,
      );
    }
    const restMs = Math.min(lookMs, Math.max(1, deadlineAt - performance.now()));
    await withDeadline(rest(restMs), { signal: options.signal }, noAnswer);
    lookMs = Math.min(lookMs * 1.5, LAST_LOOK_MS);
  }
}

/** A step has what is left of a total deadline. */
function within<Value>(
  step: Promise<Value>,
  { signal, timeoutMs }: CallOptions,
  startedAt: number,
): Promise<Value> {
  const leftMs =
    timeoutMs === undefined
      ? IDLE_TIMEOUT_MS
      : Math.max(LAST_STEP_MS, timeoutMs - (performance.now() - startedAt));
  return withDeadline(step, { signal, timeoutMs: leftMs }, noAnswer);
}

function noAnswer(): FarmError {
  return new FarmError('redis_unavailable', 'Redis does not answer');
}
