import { FarmError, redisKeys, type RedisKeys } from '@embedfarm/contract';
import { connectRedis, disconnectRedis } from './connect.ts';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';
import { noAnswer, withDeadline } from './with-deadline.ts';

const ANSWER_TIMEOUT_MS = 2_000;

/** What somebody may take. */
export interface TextRateLimit {
  readonly textsPerSecond: number;
  /** What may be taken at once after a rest. Default: a second's worth. */
  readonly burstTexts?: number | undefined;
}

/**
 * A bucket as the time at which it is full again. What is larger than the bucket is taken from a full one, and paid off
 * after. KEYS bucket; ARGV texts a second, burst, texts. Returns 0, or the ms until there is room.
 */
const takeScript = new RedisScript(`
local rate, burst, texts = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fullAt = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0) or 0)
local missing = (fullAt - now) * rate / 1000
local over = missing + math.min(texts, burst) - burst
if over > 0 then return math.ceil(over * 1000 / rate) end
fullAt = fullAt + texts * 1000 / rate
redis.call('SET', KEYS[1], string.format('%.3f', fullAt), 'PX', math.ceil(fullAt - now) + 1000)
return 0`);

/** Token buckets in Redis: those who share a Redis share them, by Redis' clock. */
export class TextRate {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;

  private constructor(redis: FarmRedis, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Redis may be down: it is waited for when something is taken. */
  static open({ redis, prefix }: { redis: string; prefix?: string | undefined }): TextRate {
    return new TextRate(connectRedis(redis), redisKeys(prefix));
  }

  /**
   * Takes room for texts, or throws and takes none.
   *
   * @throws FarmError `overloaded` with `retryAfterMs`; `redis_unavailable` after 2 s; `cancelled` on abort.
   */
  async take(
    name: string,
    texts: number,
    { textsPerSecond, burstTexts = textsPerSecond }: TextRateLimit,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const args = [textsPerSecond, Math.max(1, burstTexts), texts];
    const waitMs = Number(
      await withDeadline(
        takeScript.run(this.#redis, [this.#keys.textRate(name)], args),
        { signal, timeoutMs: ANSWER_TIMEOUT_MS },
        noAnswer,
      ),
    );
    if (waitMs === 0) return;
    throw new FarmError(
      'overloaded',
      `"${name}" may take ${textsPerSecond} texts a second, ${texts} more fit in ${waitMs} ms`,
      { retryAfterMs: waitMs },
    );
  }

  close(): void {
    disconnectRedis(this.#redis);
  }
}
