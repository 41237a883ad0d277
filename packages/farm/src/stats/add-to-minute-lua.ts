/**
 * Lua: adds fields to the hash of the minute that Redis' clock says. What stands in its place by hand, or in that of a
 * field, takes nothing and stops nothing. ARGV from `first` on: the number of arguments, then fields and counts in turn.
 * Returns the place in ARGV behind them, and the minute.
 */
export const ADD_TO_MINUTE_LUA = `
local function addToMinute(prefix, ttl, first)
  local minute = math.floor(redis.call('TIME')[1] / 60)
  local last = first + tonumber(ARGV[first])
  if last > first then
    local key = prefix .. minute
    for i = first + 1, last, 2 do redis.pcall('HINCRBY', key, ARGV[i], ARGV[i + 1]) end
    redis.pcall('EXPIRE', key, ttl)
  end
  return last + 1, minute
end`;
