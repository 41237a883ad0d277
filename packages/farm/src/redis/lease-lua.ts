/**
 * A lease is one field of the hash `admission`: `c:<client id>` for what a client waits for,
 * `r:<request id>` for a submitted request; its value is `<texts> <bytes> <pass>`. The fields
 * `texts` and `bytes` are the sums of all leases. `pass` numbers the re-syncs (sync-admission.ts);
 * while one is under way, `nextTexts` and `nextBytes` are the sums of the leases that it has seen.
 *
 * Every change of a lease goes through here and changes the sums by the same difference.
 */
export const SET_LEASE_LUA = `
local function readLease(admission, lease)
  local at = redis.call('HMGET', admission, lease, 'pass', 'nextTexts')
  local texts, bytes, pass = string.match(at[1] or '', '^(%d+) (%d+) (%d+)$')
  return {
    stored = at[1], texts = tonumber(texts or 0), bytes = tonumber(bytes or 0), seen = pass,
    pass = at[2] or '0', isPassing = at[3] ~= false
  }
end
local function setLease(admission, lease, texts, bytes)
  texts, bytes = math.max(0, math.floor(texts)), math.max(0, math.floor(bytes))
  local held = readLease(admission, lease)
  if texts == 0 and bytes == 0 then
    if held.stored then redis.call('HDEL', admission, lease) end
  else
    local value = string.format('%.0f %.0f %s', texts, bytes, held.pass)
    if value ~= held.stored then redis.call('HSET', admission, lease, value) end
  end
  if texts ~= held.texts then redis.call('HINCRBY', admission, 'texts', texts - held.texts) end
  if bytes ~= held.bytes then redis.call('HINCRBY', admission, 'bytes', bytes - held.bytes) end
  if not held.isPassing then return end
  local wasSeen = held.seen == held.pass
  redis.call('HINCRBY', admission, 'nextTexts', texts - (wasSeen and held.texts or 0))
  redis.call('HINCRBY', admission, 'nextBytes', bytes - (wasSeen and held.bytes or 0))
end`;

/**
 * Leases of submitted requests follow their records, which have three fields for it:
 *
 * - `reservedTexts`: texts reserved so far; it only grows.
 * - `heldBytes`: reserved bytes of the chunks that are not settled, and `resultBytes`.
 * - `resultBytes`: bytes of the stored results that nobody has taken away.
 *
 * The rule: an open request holds `reservedTexts - textsDone - textsFailed` texts and `heldBytes`;
 * one that has ended holds no text, and `resultBytes`; one whose results or record are gone holds nothing.
 *
 * - `followRecord(admission, request, id)` makes the lease what the record says. To be called
 *   whenever `state` has changed: end, seal, cancel.
 * - `releaseChunk(admission, request, id, reservedBytes, resultBytes)`, when a tracked chunk is
 *   settled the first time, after `textsDone`, `textsFailed` and `state` are written: its texts and
 *   what was reserved for it (`chunkLoad(…).bytes`) go, the block's real bytes stay.
 * - `releaseResults(admission, request, id, bytes)`, when results were taken away.
 *
 * `admission` and `request` are the names of the keys.
 */
export const RELEASE_CHUNK_LUA = `
${SET_LEASE_LUA}
local OPEN = { filling = true, queued = true, running = true }
-- What was put there by hand and is no number, or no record, holds nothing.
local function numberOf(stored) return tonumber(stored or 0) or 0 end
local function followRecord(admission, request, id)
  local record = redis.pcall('HMGET', request, 'state', 'reservedTexts', 'textsDone', 'textsFailed', 'heldBytes', 'resultBytes', 'expiresAtMs')
  local state, reserved = record[1], numberOf(record[2])
  if not state or reserved == 0 then return setLease(admission, 'r:' .. id, 0, 0) end
  local resultBytes = numberOf(record[6])
  local isGone = record[7] and numberOf(record[7]) <= redis.call('TIME')[1] * 1000
  if isGone then return setLease(admission, 'r:' .. id, 0, 0) end
  if not OPEN[state] then return setLease(admission, 'r:' .. id, 0, resultBytes) end
  local texts = math.min(reserved, reserved - numberOf(record[3]) - numberOf(record[4]))
  setLease(admission, 'r:' .. id, texts, math.max(numberOf(record[5]), resultBytes))
end
local function releaseChunk(admission, request, id, reservedBytes, resultBytes)
  if redis.call('HEXISTS', request, 'reservedTexts') == 0 then return end
  redis.call('HINCRBY', request, 'heldBytes', resultBytes - reservedBytes)
  redis.call('HINCRBY', request, 'resultBytes', resultBytes)
  followRecord(admission, request, id)
end
local function releaseResults(admission, request, id, bytes)
  if redis.call('HEXISTS', request, 'reservedTexts') == 0 then return end
  redis.call('HINCRBY', request, 'heldBytes', -bytes)
  redis.call('HINCRBY', request, 'resultBytes', -bytes)
  followRecord(admission, request, id)
end`;

/**
 * `farmRoom(admission, limits, defaultTexts, defaultShare)`: what the farm holds, what it may hold,
 * and the memory of Redis. INFO costs 10 µs with its parsing; where a server does not let scripts
 * ask, memory stops nothing. Bytes are limited by the memory stop also where no limit is set, so
 * that what is admitted now fits when its results come.
 *
 * `faultOf(room, addTexts, addBytes)` names what is too full for so much more: `memory`, `texts`,
 * `bytes`, or an empty string.
 *
 * `tell(room, full, leaseTexts, leaseBytes, statsPrefix)` is the answer of every script that asks;
 * see parseAnswer.
 */
export const FARM_ROOM_LUA = `
local UNKNOWN = 9007199254740991
-- A number that was put there by hand and is none, or less than that, counts as not there.
local function numberFrom(least, value, instead)
  local number = tonumber(value or '')
  if number and number >= least and number <= UNKNOWN then return number end
  return instead
end
local function shareFrom(value, instead)
  local share = numberFrom(0.01, value, instead)
  return share <= 1 and share or instead
end
local function farmRoom(admission, limits, defaultTexts, defaultShare)
  local held = redis.call('HMGET', admission, 'texts', 'bytes')
  local limit = redis.call('HMGET', limits, 'maxTexts', 'maxBytes', 'memoryShare')
  local room = {
    texts = numberFrom(0, held[1], 0), bytes = numberFrom(0, held[2], 0),
    maxTexts = numberFrom(1, limit[1], tonumber(defaultTexts)), maxBytes = numberFrom(1, limit[2], UNKNOWN),
    usedBytes = 0, memoryBytes = UNKNOWN, stopBytes = UNKNOWN
  }
  local info = redis.pcall('INFO', 'memory')
  if type(info) == 'string' then
    room.usedBytes = tonumber(string.match(info, 'used_memory:(%d+)') or 0)
    local memory = tonumber(string.match(info, 'maxmemory:(%d+)') or 0)
    if memory == 0 then memory = tonumber(string.match(info, 'total_system_memory:(%d+)') or 0) end
    if memory > 0 then
      room.memoryBytes = memory
      room.stopBytes = math.floor(memory * shareFrom(limit[3], tonumber(defaultShare)))
    end
  end
  room.maxBytes = math.min(room.maxBytes, room.stopBytes)
  return room
end
local function faultOf(room, addTexts, addBytes)
  if room.usedBytes > room.stopBytes then return 'memory' end
  if addTexts > 0 and room.texts + addTexts > room.maxTexts then return 'texts' end
  if addBytes > 0 and room.bytes + addBytes > room.maxBytes then return 'bytes' end
  return ''
end
local function drainedTexts(statsPrefix)
  local now = tonumber(redis.call('TIME')[1])
  local drained = 0
  for second = now - 9, now do
    local counts = redis.pcall('HMGET', statsPrefix .. string.format('%.0f', second), 'texts', 'failed')
    drained = drained + numberFrom(0, counts[1], 0) + numberFrom(0, counts[2], 0)
  end
  return drained
end
local function tell(room, full, leaseTexts, leaseBytes, statsPrefix)
  local drained = full == '' and 0 or drainedTexts(statsPrefix)
  return {
    full, leaseTexts, leaseBytes, room.texts, room.bytes, room.maxTexts, room.maxBytes,
    room.usedBytes, room.memoryBytes, room.stopBytes, drained
  }
end`;
