/** An end that nobody hands over is forgotten after this, as the request is. */
const DUE_TTL_MS = 7 * 24 * 3_600_000;

/**
 * Part of the script that ends a request, so that an end and its webhook are one step. The request's record is the only
 * other thing it reads.
 */
export const ANNOUNCE_END_LUA = `
local function announceEnd(due, request, id)
  if redis.call('HEXISTS', request, 'webhook') == 0 then return end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', request, 'webhookState', 'pending', 'webhookAttempts', 0)
  redis.call('ZREMRANGEBYSCORE', due, '-inf', now - ${DUE_TTL_MS})
  redis.call('ZADD', due, now, id)
  redis.call('PEXPIRE', due, ${DUE_TTL_MS})
end`;
