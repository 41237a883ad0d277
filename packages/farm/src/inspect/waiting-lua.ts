import { RedisScript } from '../redis/redis-script.ts';

/**
 * What waits in the queues of all models, and how fast the farm was, as one look of one moment.
 * Of each list of waiting jobs the number and, at even steps from one end to the other, some jobs: their name and time.
 *
 * A job is found by its place. In a sorted set of a million that costs 2 µs, so a look at a bulk lane of any depth takes
 * 0.3 ms; in a list of a million 75 µs, 5 ms for all, but lists are of the interactive lane, which is seldom so long.
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
-- Names and numbers of ours are short.
local function short(value)
  return value and #value <= 40 and value or ''
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pace = {}
for ago = 1, tonumber(ARGV[3]) do
  local second = asked('HMGET', KEYS[3] .. (time[1] - ago), 'texts', 'tokens') or {}
  pace[2 * ago - 1] = short(second[1])
  pace[2 * ago] = short(second[2])
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
        list[#list + 1] = short(job[1])
        list[#list + 1] = short(job[2])
      end
      lists[#lists + 1] = list
    end
  end
end
return { now, pace, lists }`);
