import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { countOf } from '../stats/parse-minute.ts';

const COUNTED_SECONDS = 60;

/** Texts of calls with the cache on. */
export interface CacheCounts {
  /** Each counts once, where it was answered. */
  readonly lookups: number;
  /** Those that no device had to encode: kept from before, encoded just then for another, or twice in one chunk. */
  readonly hits: number;
}

/** Of the last minute, this second included. */
export async function readCacheCounts(
  redis: FarmRedis,
  keys: RedisKeys,
  nowMs: number,
): Promise<CacheCounts> {
  const second = Math.floor(nowMs / 1000);
  const lookup = redis.pipeline();
  for (let ago = 0; ago < COUNTED_SECONDS; ago += 1) {
    lookup.hmget(keys.statsSecond(second - ago), 'cacheLookups', 'cacheHits');
  }
  let lookups = 0;
  let hits = 0;
  for (const [, counts] of (await lookup.exec()) ?? []) {
    const [looked, hit] = (Array.isArray(counts) ? counts : []).map(countOf);
    lookups += looked ?? 0;
    hits += hit ?? 0;
  }
  return { lookups, hits };
}
