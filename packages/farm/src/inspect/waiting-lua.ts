import { RedisScript } from '../redis/redis-script.ts';

/**
 * What waits in the queues of all models, and how fast the farm was, as one look of one moment.
 * Of each list of waiting jobs the number and, at even steps from one end to the other, some jobs: their name and time.
 *
 * A job is found by its place: in a sorted set that costs O(log n); in a list of a million 0.2 ms, and lists are of the
 * interactive lane, which holds few.
 *
 * KEYS models, prefix, stats prefix; ARGV most jobs looked at in a list, most models, seconds of pace.
 * Returns the Redis time in ms; then texts and tokens of each past second, the last one first; then, for each model and
 * lane (interactive, bulk) and list (wait, prioritized), the number of jobs, and names and times in turn.
 */
export const waitingScript = new RedisScript(`
local function asked(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return false end
  return answer
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pace = {}
for ago = 1, tonumber(ARGV[3]) do
  local second = asked('HMGET', KEYS[3] .. (time[1] - ago), 'texts', 'tokens') or {}
  pace[2 * ago - 1] = second[1] or '0'
  pace[2 * ago] = second[2] or '0'
end
local lists = {}
for _, model in ipairs(asked('ZREVRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1) or {}) do
  for _, lane in ipairs({ 'interactive', 'bulk' }) do
    local queue = KEYS[2] .. ':' .. model .. '-' .. lane .. ':'
    for _, kind in ipairs({ 'wait', 'prioritized' }) do
      local isList = kind == 'wait'
      local count = asked(isList and 'LLEN' or 'ZCARD', queue .. kind) or 0
      local list = { count }
      local looks = math.min(count, tonumber(ARGV[1]))
      for look = 0, looks - 1 do
        local at = looks < 2 and 0 or math.floor(look * (count - 1) / (looks - 1) + 0.5)
        local id = isList and asked('LINDEX', queue .. kind, at) or (asked('ZRANGE', queue .. kind, at, at) or {})[1]
        local job = id and asked('HMGET', queue .. id, 'name', 'timestamp') or {}
        list[#list + 1] = job[1] or ''
        list[#list + 1] = job[2] or ''
      end
      lists[#lists + 1] = list
    end
  end
end
return { now, pace, lists }`);
