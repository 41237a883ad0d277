import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';

/**
 * Redis TIME, between two looks at it counted on by the local monotonic clock: deadlines hold
 * on hosts whose wall clocks disagree, and survive a wall clock that jumps.
 */
export class RedisClock {
  #offsetMs: number;

  private constructor(offsetMs: number) {
    this.#offsetMs = offsetMs;
  }

  static async open(redis: Redis): Promise<RedisClock> {
    return new RedisClock(await readOffset(redis));
  }

  /** Asks Redis again. Called with every heartbeat. */
  async sync(redis: Redis): Promise<void> {
    this.#offsetMs = await readOffset(redis);
  }

  /** Redis time in ms since 1970. */
  nowMs(): number {
    return Math.round(performance.now() + this.#offsetMs);
  }
}

async function readOffset(redis: Redis): Promise<number> {
  const sentAt = performance.now();
  const [seconds, microseconds] = await redis.time();
  const receivedAt = performance.now();
  // The answer was made about half way between.
  return Number(seconds) * 1000 + Number(microseconds) / 1000 - (sentAt + receivedAt) / 2;
}
