import { FarmError, redisKeys, type RedisKeys } from '@embedfarm/contract';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { noAnswer, withDeadline } from '../redis/with-deadline.ts';

const ANSWER_TIMEOUT_MS = 5_000;
/** When a Redis without memory may have some. */
const OUT_OF_MEMORY_RETRY_MS = 5_000;

/** A store's own connection. Redis may be down: it is waited for when something is asked. */
export class StoreLink {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;

  constructor({ redis, prefix }: { redis: string; prefix?: string | undefined }) {
    this.redis = connectRedis(redis);
    this.keys = redisKeys(prefix);
  }

  /** @throws FarmError `redis_unavailable` after 5 s; `overloaded` where Redis has no memory left; `cancelled`. */
  async ask<Value>(
    asked: Promise<Value>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<Value> {
    try {
      return await withDeadline(asked, { signal, timeoutMs: ANSWER_TIMEOUT_MS }, noAnswer);
    } catch (thrown) {
      if (thrown instanceof FarmError) throw thrown;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      if (message.startsWith('OOM')) {
        throw new FarmError('overloaded', 'Redis has no memory left', {
          cause: thrown,
          retryAfterMs: OUT_OF_MEMORY_RETRY_MS,
        });
      }
      throw new FarmError('redis_unavailable', `Redis did not take it: ${message}`, { cause: thrown });
    }
  }

  close(): void {
    disconnectRedis(this.redis);
  }
}
