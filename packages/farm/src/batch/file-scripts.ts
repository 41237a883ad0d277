import { RedisScript } from '../redis/redis-script.ts';

const NOW_LUA = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

/** KEYS held files, held bytes. Gives back the room of files that Redis has let go. */
const FREE_LUA = `
local function free(held, sizes, id)
  local bytes = tonumber(redis.call('HGET', sizes, id) or 0)
  redis.call('ZREM', held, id)
  if redis.call('HDEL', sizes, id) == 1 then redis.call('HINCRBY', sizes, '', -bytes) end
end`;

/**
 * One more slice. KEYS slices, held files, held bytes; ARGV id, slice, bytes, ms until it goes if nothing follows, most
 * bytes of a file, most bytes of all. Returns the file's bytes; -1 and -2 where those are too many.
 */
export const appendScript = new RedisScript(`${NOW_LUA}${FREE_LUA}
local slices, held, sizes = KEYS[1], KEYS[2], KEYS[3]
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now, 'LIMIT', 0, 100)) do free(held, sizes, gone) end
local id, bytes = ARGV[1], #ARGV[3]
local own = tonumber(redis.call('HGET', sizes, id) or 0) + bytes
if own > tonumber(ARGV[5]) then return -1 end
if tonumber(redis.call('HGET', sizes, '') or 0) + bytes > tonumber(ARGV[6]) then return -2 end
redis.call('HSET', slices, ARGV[2], ARGV[3])
redis.call('PEXPIRE', slices, ARGV[4])
redis.call('HINCRBY', sizes, id, bytes)
redis.call('HINCRBY', sizes, '', bytes)
redis.call('ZADD', held, now + tonumber(ARGV[4]), id)
return own`);

/**
 * A file that is whole, or that is made when it is read. KEYS file, slices, held files, held bytes, owner's files; ARGV id,
 * ms that it is kept, most files of an owner, prefix of files, then fields. Returns the time, -1 where there are too many
 * files, -2 where its slices are gone.
 */
export const sealScript = new RedisScript(`${NOW_LUA}
local file, slices, held, sizes, files = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, ttl = ARGV[1], tonumber(ARGV[2])
if redis.call('ZCARD', files) >= tonumber(ARGV[3]) then
  for _, other in ipairs(redis.call('ZRANGE', files, 0, -1)) do
    if redis.call('EXISTS', ARGV[4] .. other) == 0 then redis.call('ZREM', files, other) end
  end
  if redis.call('ZCARD', files) >= tonumber(ARGV[3]) then return -1 end
end
if redis.call('HEXISTS', sizes, id) == 1 then
  if redis.call('PEXPIRE', slices, ttl) == 0 then return -2 end
  redis.call('ZADD', held, now + ttl, id)
end
redis.call('HSET', file, 'createdAtMs', now, 'expiresAtMs', now + ttl, unpack(ARGV, 5))
redis.call('PEXPIRE', file, ttl)
redis.call('ZADD', files, now, id)
redis.call('PEXPIRE', files, math.max(ttl, redis.call('PTTL', files)))
return now`);

/** KEYS file, slices, held files, held bytes, owner's files; ARGV id. Returns 1 where there was one. */
export const dropScript = new RedisScript(`${FREE_LUA}
free(KEYS[3], KEYS[4], ARGV[1])
redis.call('UNLINK', KEYS[2])
redis.call('ZREM', KEYS[5], ARGV[1])
return redis.call('DEL', KEYS[1])`);
