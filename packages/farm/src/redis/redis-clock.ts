import type { RedisKeys } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { FarmRedis } from './farm-redis.ts';
import { readRedisTimeMs } from './redis-time.ts';

/**
 * Redis TIME, between two looks at it counted on by the local monotonic clock: deadlines hold
 * on hosts whose wall clocks disagree, and survive a wall clock that jumps.
 */
export class RedisClock {
  readonly #keys: RedisKeys;
  #offsetMs: number;

  private constructor(keys: RedisKeys, offsetMs: number) {
    this.#keys = keys;
    this.#offsetMs = offsetMs;
  }

  /** The clock of the server that holds the keys. */
  static async open(redis: FarmRedis, keys: RedisKeys): Promise<RedisClock> {
    return new RedisClock(keys, await readOffset(redis, keys));
  }

  /** Asks Redis again. Called with every heartbeat. */
  async sync(redis: FarmRedis): Promise<void> {
    this.#offsetMs = await readOffset(redis, this.#keys);
  }

  /** Redis time in ms since 1970. */
  nowMs(): number {
    return Math.round(performance.now() + this.#offsetMs);
  }
}

async function readOffset(redis: FarmRedis, keys: RedisKeys): Promise<number> {
  const sentAt = performance.now();
  const timeMs = await readRedisTimeMs(redis, keys);
  const receivedAt = performance.now();
  // The answer was made about half way between.
  return timeMs - (sentAt + receivedAt) / 2;
}
