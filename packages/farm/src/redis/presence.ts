import type { RedisKeys } from '@embedfarm/contract';
import { dropClientLease } from './admission.ts';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';

/** A client counts as alive this long after its last heartbeat. */
export const CLIENT_TTL_MS = 15_000;
/** A reply stream outlives its client's last heartbeat by this, so that a long pause loses nothing. */
const REPLY_TTL_MS = 15 * 60_000;

/**
 * Renews a client and makes its reply stream where it is missing: workers never make one
 * (XADD NOMKSTREAM), so a client that is gone leaves none behind.
 * KEYS clients, reply; ARGV client id, client TTL, reply TTL. Returns the stream's last id.
 */
const heartbeatScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], now, ARGV[1])
-- What was put in its place by hand would keep the client from hearing anything.
if redis.call('TYPE', KEYS[2]).ok ~= 'stream' then
  redis.call('UNLINK', KEYS[2])
  local id = redis.call('XADD', KEYS[2], '*', 'open', ARGV[1])
  redis.call('XDEL', KEYS[2], id)
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
local info = redis.call('XINFO', 'STREAM', KEYS[2])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then return info[i + 1] end
end`);

/** Says that a client lives. @returns the last id of its reply stream. */
export async function announceClient(redis: FarmRedis, keys: RedisKeys, clientId: string): Promise<string> {
  const lastId = await heartbeatScript.run(
    redis,
    [keys.clients, keys.reply(clientId)],
    [clientId, CLIENT_TTL_MS, REPLY_TTL_MS],
  );
  return String(lastId);
}

/** Takes a client's leave: it no longer counts, its reply stream goes, and what it held of the farm's room. */
export async function removeClient(redis: FarmRedis, keys: RedisKeys, clientId: string): Promise<void> {
  await Promise.all([
    redis.multi().zrem(keys.clients, clientId).unlink(keys.reply(clientId)).exec(),
    dropClientLease(redis, keys, clientId),
  ]);
}
