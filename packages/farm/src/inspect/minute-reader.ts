import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { readRedisTimeMs } from '../redis/redis-time.ts';
import { readSmallFields, type SmallFields } from '../redis/small-fields.ts';
import { MINUTE_TTL_S } from '../stats/minute-fields.ts';
import type { MinuteStats } from '../stats/minute-stats.ts';
import { parseFailedTexts, parseMinute, type FailedTexts, type MinuteHash } from '../stats/parse-minute.ts';

const MINUTE_MS = 60_000;
/** As many as are kept. */
const MAX_MINUTES = MINUTE_TTL_S / 60;
/** A farm of many models that fail for many reasons has some thousands; a hash with more is none of ours. */
const MAX_FIELDS = 10_000;
const PAGE_MINUTES = 200;
/** Whole minutes that are kept here: a day. Further ones are read each time. */
const MAX_KNOWN = 24 * 60;

/** A minute, and what failed in it by model. */
export interface ReadMinute {
  readonly stats: MinuteStats;
  readonly failed: readonly FailedTexts[];
}

export interface ReadMinutes {
  /** Redis time of the read, in ms. */
  readonly nowMs: number;
  /** Oldest first; the last one is the current one. */
  readonly minutes: readonly ReadMinute[];
}

/**
 * The last minutes of the farm. A minute that is over is never written again, as Redis' clock decides, so what is read
 * once is kept; only the current one and the one before it (that clock may step back) are read each time.
 */
export class MinuteReader {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #readTimeMs: () => Promise<number>;
  readonly #known = new Map<number, ReadMinute>();

  constructor(redis: FarmRedis, keys: RedisKeys, readTimeMs = () => readRedisTimeMs(redis, keys)) {
    this.#redis = redis;
    this.#keys = keys;
    this.#readTimeMs = readTimeMs;
  }

  /** @param count of minutes, the current one included; at most 7 days of them. */
  async read(count: number): Promise<ReadMinutes> {
    const nowMs = await this.#readTimeMs();
    const current = Math.floor(nowMs / MINUTE_MS);
    this.#forget(current);
    const wanted = Math.min(Math.max(1, Math.floor(count) || 1), MAX_MINUTES);
    const minutes = Array.from({ length: wanted }, (_, index) => current - wanted + 1 + index);
    const open = minutes.filter((minute) => minute >= current - 1 || !this.#known.has(minute));
    const hashes = open.map((minute) => this.#keys.statsMinute(minute));
    const answers: SmallFields[] = [];
    // A week is 10,080 of them.
    for (let from = 0; from < hashes.length; from += PAGE_MINUTES) {
      const page = hashes.slice(from, from + PAGE_MINUTES);
      answers.push(...(await readSmallFields(this.#redis, page, { maxFields: MAX_FIELDS })));
    }
    const fresh = new Map<number, ReadMinute>();
    for (const [index, minute] of open.entries()) {
      const read = readMinute(minute, answers[index]?.fields);
      fresh.set(minute, read);
      if (minute < current - 1) this.#known.set(minute, read);
    }
    return {
      nowMs,
      minutes: minutes.flatMap((minute) => fresh.get(minute) ?? this.#known.get(minute) ?? []),
    };
  }

  /** What is not over, as that clock was set back, was read too early. */
  #forget(current: number): void {
    for (const minute of this.#known.keys()) {
      if (minute <= current - MAX_KNOWN || minute >= current - 1) this.#known.delete(minute);
    }
  }
}

function readMinute(minute: number, hash: MinuteHash): ReadMinute {
  return { stats: parseMinute(minute, hash), failed: parseFailedTexts(hash) };
}
