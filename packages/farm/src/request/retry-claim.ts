import { FarmError, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';

/** Longer than a retry takes; one whose process has died leaves the request to others after that. */
const CLAIM_TTL_MS = 120_000;

/**
 * KEYS request; ARGV time to live. Returns 0 where somebody has it. A request that is not there is nobody's, and what was
 * put in its place by hand is no claim: who reads it says so.
 */
const claimScript = new RedisScript(`#!lua flags=allow-oom
local known = redis.pcall('HMGET', KEYS[1], 'state', 'retryClaimedUntilMs')
if known.err or not known[1] then return 1 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local untilMs = tonumber(known[2] or '') or 0
-- What is further away is from before the clock was set back.
if untilMs > now and untilMs <= now + ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'retryClaimedUntilMs', string.format('%.0f', now + ARGV[1]))
return 1`);

/** KEYS request. */
const releaseScript = new RedisScript(`#!lua flags=allow-oom
redis.pcall('HDEL', KEYS[1], 'retryClaimedUntilMs')
return 1`);

/**
 * Of two who retry a request at once, whatever process they are in, one does.
 *
 * @throws FarmError `invalid_argument` for the other.
 */
export async function claimRetry(redis: FarmRedis, keys: RedisKeys, requestId: string): Promise<void> {
  const isOurs = await claimScript.run(redis, [keys.request(requestId)], [CLAIM_TTL_MS]);
  if (isOurs === 1) return;
  throw new FarmError('invalid_argument', `request ${requestId} is being retried right now`);
}

export async function releaseRetry(redis: FarmRedis, keys: RedisKeys, requestId: string): Promise<void> {
  await releaseScript.run(redis, [keys.request(requestId)], []);
}
