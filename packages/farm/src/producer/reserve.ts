import type { RedisKeys } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import type { Load } from '../queue/chunk-load.ts';
import { askRequestLease } from '../redis/admission.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { noAnswer, withDeadline } from '../redis/with-deadline.ts';
import { neverFits, overloaded, pollAfterMs, type WhenOverloaded } from './overloaded.ts';

export interface ReserveTerms {
  readonly whenOverloaded: WhenOverloaded;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for room, and for Redis. */
  readonly timeoutMs: number;
}

/**
 * Room for more of a submitted request, before it is enqueued: `sumLoads` of its chunks' `chunkLoad`.
 * Held by the request, whatever becomes of its producer, until the chunks are settled and the
 * results read or expired; see RELEASE_CHUNK_LUA.
 *
 * @throws FarmError `overloaded` with `retryAfterMs`, at once or after `timeoutMs`; `invalid_argument`
 *   when it can never fit; `cancelled` on abort or when the request has ended; `result_expired`
 *   without a record; `redis_unavailable`.
 */
export async function reserve(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  more: Load,
  { whenOverloaded, signal, timeoutMs }: ReserveTerms,
): Promise<void> {
  const deadlineAt = performance.now() + timeoutMs;
  for (;;) {
    const asking = askRequestLease(redis, keys, requestId, more);
    const leftMs = Math.max(1, deadlineAt - performance.now());
    const answer = await withDeadline(asking, { signal, timeoutMs: leftMs }, noAnswer);
    if (answer.full === undefined) return;
    const refusal = neverFits(more, answer.farm);
    if (refusal) throw refusal;
    const pollMs = pollAfterMs();
    if (whenOverloaded === 'reject' || performance.now() + pollMs > deadlineAt) {
      throw overloaded(answer, answer.full, more);
    }
    await withDeadline(rest(pollMs), { signal }, noAnswer);
  }
}
