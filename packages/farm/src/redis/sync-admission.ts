import type { RedisKeys } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { FarmRedis } from './farm-redis.ts';
import { RELEASE_CHUNK_LUA } from './lease-lua.ts';
import { CLIENT_TTL_MS } from './presence.ts';
import { RedisScript } from './redis-script.ts';

/** Once for the whole farm, whoever comes first. */
const SYNC_EVERY_MS = 15_000;
/** A pass takes no more than this part of Redis: over 100,000 leases it is 1 s, and the next comes later. */
const SYNC_PART = 50;
/** Leases looked at with one script, under 1 ms: a hundred thousand must not hold up anybody's call. */
const SYNC_LEASES = 64;

/**
 * Begins a pass; the one before, if its process died, is void. Sums that are no numbers are zero
 * until its end. Its number is the time, so that none comes twice, whatever became of the last one.
 * KEYS admission, admission sync; ARGV every ms, or 0 for now.
 * Returns the number of the pass, or 0 when it is not due, and whether there was no lease at all.
 */
const beginScript = new RedisScript(`#!lua flags=allow-oom
if ARGV[1] ~= '0' and not redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[1]) then return { 0, 0 } end
local isNew = redis.call('HEXISTS', KEYS[1], 'pass') == 0
for _, sum in ipairs({ 'texts', 'bytes' }) do
  local held = redis.call('HGET', KEYS[1], sum)
  if not held or not string.match(held, '^-?%d+$') then redis.call('HSET', KEYS[1], sum, 0) end
end
local time = redis.call('TIME')
local pass = time[1] * 1000000 + time[2]
redis.call('HSET', KEYS[1], 'nextTexts', 0, 'nextBytes', 0, 'pass', pass)
return { pass, isNew and 1 or 0 }`);

/**
 * One slice: a client's lease stays as it is, for the client itself tells it, or goes with the
 * client; a request's is made what its record says. setLease marks and counts what it is given.
 * KEYS admission, clients, request prefix; ARGV pass, cursor, leases, client TTL. Returns the next cursor.
 */
const sliceScript = new RedisScript(`#!lua flags=allow-oom
${RELEASE_CHUNK_LUA}
if redis.call('HGET', KEYS[1], 'pass') ~= ARGV[1] then return '0' end
local time = redis.call('TIME')
local gone = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[4])
local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
for at = 1, #page[2], 2 do
  local lease = page[2][at]
  local kind, id = string.sub(lease, 1, 2), string.sub(lease, 3)
  if kind == 'r:' then
    followRecord(KEYS[1], KEYS[3] .. id, id)
  elseif kind == 'c:' then
    local seenAt = redis.call('ZSCORE', KEYS[2], id)
    local held = readLease(KEYS[1], lease)
    local isAlive = seenAt and tonumber(seenAt) >= gone
    setLease(KEYS[1], lease, isAlive and held.texts or 0, isAlive and held.bytes or 0)
    -- A value that is none reads as nothing held, and setLease takes it away.
  end
end
return page[1]`);

/**
 * Where the hash was lost, requests get their leases back from the index.
 * KEYS admission, requests, request prefix; ARGV pass, cursor, leases. Returns the next cursor.
 */
const rebuildScript = new RedisScript(`#!lua flags=allow-oom
${RELEASE_CHUNK_LUA}
if redis.call('HGET', KEYS[1], 'pass') ~= ARGV[1] then return '0' end
local page = redis.call('ZSCAN', KEYS[2], ARGV[2], 'COUNT', ARGV[3])
for at = 1, #page[2], 2 do followRecord(KEYS[1], KEYS[3] .. page[2][at], page[2][at]) end
return page[1]`);

/** The sums are those of the leases seen. KEYS admission; ARGV pass. */
const endScript = new RedisScript(`#!lua flags=allow-oom
local at = redis.call('HMGET', KEYS[1], 'pass', 'nextTexts', 'nextBytes')
if at[1] ~= ARGV[1] or not at[2] or not at[3] then return 0 end
redis.call('HSET', KEYS[1], 'texts', at[2], 'bytes', at[3])
redis.call('HDEL', KEYS[1], 'nextTexts', 'nextBytes')
return 1`);

/**
 * Makes the leases and their sums true again: leases of clients and requests that are gone go,
 * requests' leases follow their records, and the sums are the sums. In slices, while others change
 * leases: a pass marks each lease that it has counted, and every change of a marked one changes
 * the sum to come as well, so at the end that is right to the text.
 *
 * @param ifDue only when the last one, by whomever, is 15 s ago.
 */
export async function syncAdmission(
  redis: FarmRedis,
  keys: RedisKeys,
  { ifDue = false }: { ifDue?: boolean } = {},
): Promise<void> {
  const startedAt = performance.now();
  const begun = await beginScript.run(
    redis,
    [keys.admission, keys.admissionSync],
    [ifDue ? SYNC_EVERY_MS : 0],
  );
  const [pass, isNew] = (begun as unknown[]).map(Number) as [number, number];
  if (pass === 0) return;
  if (isNew === 1) {
    await scan((cursor) =>
      rebuildScript.run(
        redis,
        [keys.admission, keys.requests, keys.requestPrefix],
        [pass, cursor, SYNC_LEASES],
      ),
    );
  }
  await scan((cursor) =>
    sliceScript.run(
      redis,
      [keys.admission, keys.clients, keys.requestPrefix],
      [pass, cursor, SYNC_LEASES, CLIENT_TTL_MS],
    ),
  );
  await endScript.run(redis, [keys.admission], [pass]);
  const restMs = Math.round((performance.now() - startedAt) * SYNC_PART);
  if (ifDue && restMs > SYNC_EVERY_MS) await redis.pexpire(keys.admissionSync, restMs);
}

async function scan(slice: (cursor: string) => Promise<unknown>): Promise<void> {
  let cursor = '0';
  do cursor = String(await slice(cursor));
  while (cursor !== '0');
}
