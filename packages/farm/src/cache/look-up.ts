import type { RedisKeys, VectorBlock } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { STATS_SECOND_TTL_S } from '../redis/stats.ts';
import { decodeEntry, type EntryShape } from './cache-entry.ts';
import { LEASE_MARK } from './cache-lease.ts';

/**
 * The entries, and the count of those that are there; what is not is counted by the worker that looks again.
 * KEYS stats prefix, entries; ARGV stats TTL. Returns bytes or nil for each.
 */
const lookUpScript = new RedisScript(`
local values = redis.call('MGET', unpack(KEYS, 2))
local hits = 0
for i = 1, #values do
  if values[i] and string.sub(values[i], 1, ${LEASE_MARK.length}) == '${LEASE_MARK}' then values[i] = false end
  if values[i] then hits = hits + 1 end
end
if hits > 0 then
  local stats = KEYS[1] .. redis.call('TIME')[1]
  redis.pcall('HINCRBY', stats, 'cacheLookups', hits)
  redis.pcall('HINCRBY', stats, 'cacheHits', hits)
  redis.call('EXPIRE', stats, ARGV[1])
end
return values`);

/** The entry of each hash, undefined where there is none. Broken ones are taken away. At most a chunk of them. */
export async function lookUp(
  redis: FarmRedis,
  keys: RedisKeys,
  hashes: readonly string[],
  shape: EntryShape,
): Promise<(VectorBlock | undefined)[]> {
  const names = hashes.map((hash) => keys.cache(hash));
  const values = await lookUpScript.runForBytes(redis, [keys.statsPrefix, ...names], [STATS_SECOND_TTL_S]);
  const found = (values as (Buffer | null)[]).map((bytes) =>
    bytes === null ? undefined : decodeEntry(bytes, shape),
  );
  const broken = names.filter((_, at) => (values as unknown[])[at] !== null && found[at] === undefined);
  // What stays is found broken again, and stored over.
  if (broken.length > 0) redis.unlink(...broken).catch(() => undefined);
  return found;
}
