import { redisKeys, type BenchCurve, type RedisKeys } from '@embedfarm/contract';
import { connectRedis, disconnectRedis, waitForRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { readBenchCurves, storeBenchCurves } from './bench-curves.ts';

/** The measured curves that a farm keeps for its page, with a connection of its own. */
export class BenchCurveStore {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;

  private constructor(redis: FarmRedis, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @throws FarmError `redis_unavailable` when Redis does not answer within `timeoutMs`. */
  static async open(
    { redis: url, prefix, timeoutMs = 10_000 }: { redis: string; prefix?: string; timeoutMs?: number },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<BenchCurveStore> {
    const keys = redisKeys(prefix);
    const redis = connectRedis(url);
    try {
      await waitForRedis(redis, url, keys, { signal, timeoutMs });
      return new BenchCurveStore(redis, keys);
    } catch (thrown) {
      disconnectRedis(redis);
      throw thrown;
    }
  }

  /** See storeBenchCurves. */
  put(curves: readonly BenchCurve[]): Promise<void> {
    return storeBenchCurves(this.#redis, this.#keys, curves);
  }

  /** See readBenchCurves. */
  read(): Promise<BenchCurve[]> {
    return readBenchCurves(this.#redis, this.#keys);
  }

  close(): void {
    disconnectRedis(this.#redis);
  }
}
