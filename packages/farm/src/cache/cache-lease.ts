import type { Lane, RedisKeys } from '@embedfarm/contract';
import { randomUUID } from 'node:crypto';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { STATS_SECOND_TTL_S } from '../redis/stats.ts';

/** How a lease begins that stands under the key of an entry, which begins otherwise. */
export const LEASE_MARK = 'lease:';

/**
 * Look and claim in one step: between two, an owner could store and let go, and the text would be encoded again.
 * Without memory for a lease the text is the caller's all the same. Counts what is answered here: what is another's is
 * counted when it is looked at again. A claim that is sent again finds its own token.
 *
 * KEYS stats prefix, entries; ARGV token, lease ms, how the leases begin that are taken over (empty for none),
 * stats TTL, texts that are repeats. Returns for each text its bytes, 1 (the caller's) or 0 (another's).
 */
const claimScript = new RedisScript(`
local hits = tonumber(ARGV[5])
local lookups = hits
local answers = {}
for i = 2, #KEYS do
  local value = redis.pcall('GET', KEYS[i])
  local known = type(value) == 'string'
  local lease = known and string.sub(value, 1, ${LEASE_MARK.length}) == '${LEASE_MARK}'
  if known and not lease then
    answers[i - 1] = value
    hits = hits + 1
    lookups = lookups + 1
  elseif not known or value == ARGV[1] or (ARGV[3] ~= '' and string.sub(value, 1, #ARGV[3]) == ARGV[3]) then
    redis.pcall('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
    answers[i - 1] = 1
    lookups = lookups + 1
  else
    answers[i - 1] = 0
  end
end
if lookups > 0 then
  local stats = KEYS[1] .. redis.call('TIME')[1]
  redis.pcall('HINCRBY', stats, 'cacheLookups', lookups)
  if hits > 0 then redis.pcall('HINCRBY', stats, 'cacheHits', hits) end
  redis.call('EXPIRE', stats, ARGV[4])
end
return answers`);

/** KEYS entries; ARGV token, lease ms. */
const renewScript = new RedisScript(`
for i = 1, #KEYS do
  if redis.pcall('GET', KEYS[i]) == ARGV[1] then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
return 1`);

/**
 * An entry takes the place of the lease, also of one that was taken over: it is right whoever stores it. What has
 * none, or what Redis has no memory for, is let go of.
 * KEYS entries; ARGV token, entry TTL, bytes of each, empty for none.
 */
const settleScript = new RedisScript(`
for i = 1, #KEYS do
  local bytes = ARGV[2 + i]
  local stored = #bytes > 0 and not redis.pcall('SET', KEYS[i], bytes, 'PX', ARGV[2]).err
  if not stored and redis.pcall('GET', KEYS[i]) == ARGV[1] then redis.call('DEL', KEYS[i]) end
end
return 1`);

/** The entry's bytes, or whose turn it is to encode the text. */
export type Claim = Buffer | 'mine' | 'theirs';

/** The leases of one chunk. Each is its owner's until he settles it, or is silent for the length of a job's lock. */
export class CacheLease {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #lane: Lane;
  readonly #leaseMs: number;
  /** An owner is known by his token, which tells his lane. */
  readonly #token: string;

  constructor(redis: FarmRedis, keys: RedisKeys, lane: Lane, leaseMs: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#lane = lane;
    this.#leaseMs = leaseMs;
    this.#token = `${LEASE_MARK}${lane}:${randomUUID()}`;
  }

  /**
   * An interactive chunk takes a text over that a bulk chunk holds: it would wait for all that stands in the bulk
   * line before it, and the text is encoded twice instead.
   *
   * @param repeats texts of the chunk that need no look of their own, to be counted as hits.
   * @param force takes over whatever another holds.
   */
  async claim(
    hashes: readonly string[],
    { repeats, force }: { repeats: number; force: boolean },
  ): Promise<Claim[]> {
    const ofBulk = this.#lane === 'interactive' ? `${LEASE_MARK}bulk:` : '';
    const answers = await claimScript.runForBytes(
      this.#redis,
      [this.#keys.statsPrefix, ...this.#entries(hashes)],
      [this.#token, this.#leaseMs, force ? LEASE_MARK : ofBulk, STATS_SECOND_TTL_S, repeats],
    );
    return (answers as (Buffer | number)[]).map((answer) => {
      if (typeof answer !== 'number') return answer;
      return answer === 1 ? 'mine' : 'theirs';
    });
  }

  /** As often as three times in a lease's life. */
  async renew(hashes: readonly string[]): Promise<void> {
    await renewScript.run(this.#redis, this.#entries(hashes), [this.#token, this.#leaseMs]);
  }

  /** Lets go of the texts; `entries` are what is kept of them. */
  async settle(
    hashes: readonly string[],
    entries: readonly (Buffer | undefined)[],
    ttlMs: number,
  ): Promise<void> {
    const bytes = hashes.map((_, at) => entries[at] ?? '');
    await settleScript.run(this.#redis, this.#entries(hashes), [this.#token, ttlMs, ...bytes]);
  }

  async drop(hashes: readonly string[]): Promise<void> {
    await this.#redis.unlink(...this.#entries(hashes));
  }

  #entries(hashes: readonly string[]): string[] {
    return hashes.map((hash) => this.#keys.cache(hash));
  }
}
