import { MAX_REQUEST_CHUNKS } from '@embedfarm/contract';
import { RELEASE_CHUNK_LUA } from '../redis/lease-lua.ts';
import { ANNOUNCE_END_LUA } from '../webhook/announce-end.ts';

/** How long the record of a request outlives its results, to say that they are gone. */
export const EXPIRED_RECORD_TTL_MS = 24 * 3_600_000;

/** Ends that no worker takes, as none logs them, are forgotten: the first beyond so many, and all after an hour. */
const MAX_UNTOLD_ENDS = 10_000;
const UNTOLD_TTL_MS = 3_600_000;

/**
 * Ends a request whose last chunk is settled: its state, and a last time to live for all of it.
 * Part of the scripts that settle a chunk, seal, abandon or cancel a request, so no death between leaves it open.
 *
 * `endRequest(id)`; the first KEYS of such a script are those of requestScriptKeys.
 */
export const END_REQUEST_LUA = `
${ANNOUNCE_END_LUA}
${RELEASE_CHUNK_LUA}
local function endRequest(id)
  local record = redis.call('HMGET', KEYS[1], 'state', 'sealed', 'chunks', 'chunksSettled', 'textsDone',
    'endedAtMs', 'resultTtlMs', 'abandoned', 'texts')
  local state = record[1]
  if not state or record[6] or record[2] ~= '1' then return end
  if tonumber(record[4]) < tonumber(record[3]) then return end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if state ~= 'cancelled' then
    if record[8] then state = 'incomplete'
    elseif tonumber(record[5]) > 0 or tonumber(record[9]) == 0 then state = 'completed'
    else state = 'failed' end
  end
  local ttl = tonumber(record[7])
  redis.call('HSET', KEYS[1], 'state', state, 'endedAtMs', now, 'updatedAtMs', now, 'expiresAtMs', now + ttl)
  -- What others' requests are in may have been written over by hand.
  pcall(announceEnd, KEYS[6], KEYS[1], id)
  redis.pcall('ZREM', KEYS[4], id)
  local ended = KEYS[4] .. ':ended'
  redis.pcall('RPUSH', ended, id .. ' ' .. state)
  redis.pcall('LTRIM', ended, -${MAX_UNTOLD_ENDS}, -1)
  redis.pcall('PEXPIRE', ended, ${UNTOLD_TTL_MS})
  redis.call('PEXPIRE', KEYS[1], ttl + ${EXPIRED_RECORD_TTL_MS})
  redis.call('PEXPIRE', KEYS[2], ttl)
  redis.call('PEXPIRE', KEYS[3], ttl)
  pcall(followRecord, KEYS[7], KEYS[1], id)
  for chunk = 0, math.min(tonumber(record[3]), ${MAX_REQUEST_CHUNKS}) - 1 do
    redis.call('PEXPIRE', KEYS[5] .. id .. '.' .. chunk, ttl)
  end
end`;
