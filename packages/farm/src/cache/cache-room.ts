import type { RedisKeys } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { readRedisMemory } from '../redis/redis-memory.ts';

/**
 * Above this share of Redis's memory nothing new is kept. Requests are let in up to 60 %: were the cache to fill that,
 * they would be refused for as long as its entries live. So a third of it stays theirs.
 */
const MAX_MEMORY_SHARE = 0.4;
/** Redis is asked again after this. */
const CHECK_MS = 1_000;

/** Whether Redis has memory to spare for the cache. */
export class CacheRoom {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  #hasRoom = true;
  #checkedAt = -Infinity;
  #checking: Promise<void> | undefined;

  constructor(redis: FarmRedis, keys: RedisKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async hasRoom(): Promise<boolean> {
    if (performance.now() - this.#checkedAt > CHECK_MS) await (this.#checking ??= this.#check());
    return this.#hasRoom;
  }

  async #check(): Promise<void> {
    try {
      this.#hasRoom = memoryShare(await readRedisMemory(this.#redis, this.#keys)) < MAX_MEMORY_SHARE;
    } catch {
      // A Redis that does not tell keeps its last word; storing without memory is no fault either.
    }
    this.#checkedAt = performance.now();
    this.#checking = undefined;
  }
}

/** Used share of what Redis may take; without a limit, of what its machine has. */
function memoryShare(info: string): number {
  const read = (field: string): number => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = read('maxmemory') || read('total_system_memory');
  return limit === 0 ? 0 : read('used_memory') / limit;
}
