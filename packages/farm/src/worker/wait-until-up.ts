import { FarmError, type RedisKeys } from '@embedfarm/contract';
import { waitForRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { rest } from './rest.ts';

/** Rest after a look, so that a Redis that says no at once is not asked in a tight loop. */
const LOOK_AGAIN_MS = 300;

/**
 * A worker started before its Redis comes up with it.
 *
 * @throws FarmError `invalid_argument` for keys that cannot be in this Redis; `cancelled` on abort.
 */
export async function waitUntilUp(
  redis: FarmRedis,
  url: string,
  keys: RedisKeys,
  signal: AbortSignal | undefined,
  onFault: (what: string, fault: unknown) => void,
): Promise<void> {
  for (;;) {
    try {
      return await waitForRedis(redis, url, keys, { signal, timeoutMs: 5_000 });
    } catch (fault) {
      if (signal?.aborted === true)
        throw new FarmError('cancelled', 'the start was aborted', { cause: fault });
      if (redis.status === 'end' || !FarmError.from(fault).retryable) throw fault;
      onFault('redis', fault);
      await rest(LOOK_AGAIN_MS, ...(signal ? [signal] : []));
    }
  }
}
