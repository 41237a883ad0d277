import { RedisScript } from '../redis/redis-script.ts';

const NOW_LUA = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

/**
 * KEYS batch, due, owner's batches, owner's open ones; ARGV id, owner, record, ms that it is kept, most open ones of an
 * owner, most of an owner. Returns the time, or -1 and -2 where there are too many.
 */
export const createScript = new RedisScript(`${NOW_LUA}
local id, ttl = ARGV[1], tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[5]) then return -1 end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'record', ARGV[3], 'createdAtMs', now, 'holder', '')
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('ZADD', KEYS[2], now, id)
redis.call('ZADD', KEYS[3], now, id)
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -tonumber(ARGV[6]) - 1)
redis.call('PEXPIRE', KEYS[3], ttl)
redis.call('ZADD', KEYS[4], now + ttl, id)
redis.call('PEXPIRE', KEYS[4], ttl)
return now`);

/**
 * The batch that is due first, for whoever asks, as long as the lease is renewed. KEYS due; ARGV holder, lease in ms, prefix
 * of batches. Returns id, time, then the batch's fields; nothing where none is due.
 */
export const claimScript = new RedisScript(`${NOW_LUA}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 20)) do
  local batch = ARGV[3] .. id
  if redis.call('HEXISTS', batch, 'record') == 1 then
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), id)
    redis.call('HSET', batch, 'holder', ARGV[1])
    return { id, tostring(now), unpack(redis.call('HGETALL', batch)) }
  end
  redis.call('ZREM', KEYS[1], id)
end
return {}`);

/** KEYS batch, due; ARGV id, holder, lease in ms. Returns -1 where another holds it, 1 where it is to be cancelled, else 0. */
export const renewScript = new RedisScript(`${NOW_LUA}
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[2] then return -1 end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[1])
return redis.call('HEXISTS', KEYS[1], 'cancellingAtMs')`);

/**
 * What its holder has come to. KEYS batch, due, owner's open ones, lines; ARGV id, holder, record, ms that it is kept, ms
 * until it is looked after again: -1 as long as it is held, -2 never. Returns 0 where another holds it.
 */
export const putScript = new RedisScript(`${NOW_LUA}
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[2] then return 0 end
local due = tonumber(ARGV[5])
redis.call('HSET', KEYS[1], 'record', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
if due == -1 then return 1 end
redis.call('HSET', KEYS[1], 'holder', '')
if due == -2 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[2], now + due, ARGV[1])
end
return 1`);

/** KEYS batch, due; ARGV id. Whoever holds it hears of it when the lease is renewed. */
export const cancelScript = new RedisScript(`${NOW_LUA}
if redis.call('HEXISTS', KEYS[1], 'record') == 0 or not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('HSETNX', KEYS[1], 'cancellingAtMs', now)
if redis.call('HGET', KEYS[1], 'holder') == '' then redis.call('ZADD', KEYS[2], now, ARGV[1]) end
return 1`);
