import { queueName, type RedisKeys } from '@embedfarm/contract';
import { MINUTE_TTL_S } from '../stats/minute-fields.ts';
import type { FarmRedis } from './farm-redis.ts';
import { CLIENT_TTL_MS } from './presence.ts';
import { RedisScript } from './redis-script.ts';

/** Seconds are kept for an hour. */
export const STATS_SECOND_TTL_S = 3_600;

/**
 * Records this second's backlog, the age of its oldest job and the number of clients, once, whoever asks first.
 * A lane's oldest job is at an end of its queue but for tenants that overtake each other; those ends are what is looked
 * at. Of the minute it keeps the most clients of a second. What was put in the place of a queue or a minute by hand
 * counts as none.
 *
 * KEYS clients, stats prefix, stats minute prefix, then wait and prioritized of each model's lanes in the order
 * interactive wait, interactive prioritized, bulk wait, bulk prioritized; ARGV client TTL, stats TTL, minute TTL.
 */
const sampleScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stats = KEYS[2] .. time[1]
if redis.call('HEXISTS', stats, 'clients') == 1 then return 0 end
local function asked(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer
end
local clients = redis.call('ZCOUNT', KEYS[1], now - tonumber(ARGV[1]), '+inf')
local backlog, oldest = { 0, 0 }, now
for i = 4, #KEYS, 2 do
  local lane = ((i - 4) % 4 < 2) and 1 or 2
  local waiting, prioritized = asked('LLEN', KEYS[i]) or 0, asked('ZCARD', KEYS[i + 1]) or 0
  backlog[lane] = backlog[lane] + waiting + prioritized
  local ends = {}
  if waiting > 0 then ends = { asked('LINDEX', KEYS[i], -1) } end
  for _, at in ipairs(prioritized > 0 and { 0, -1 } or {}) do
    ends[#ends + 1] = asked('ZRANGE', KEYS[i + 1], at, at)[1]
  end
  for _, id in ipairs(ends) do
    local at = tonumber(asked('HGET', string.sub(KEYS[i], 1, -5) .. id, 'timestamp') or nil)
    if at and at > 0 and at < oldest then oldest = at end
  end
end
redis.call('HSET', stats, 'clients', clients, 'backlog:interactive', backlog[1], 'backlog:bulk', backlog[2],
  'oldestMs', math.floor(now - oldest))
redis.call('EXPIRE', stats, ARGV[2])
local minute = KEYS[3] .. math.floor(time[1] / 60)
if clients > (tonumber(asked('HGET', minute, 'clients') or nil) or 0) then
  redis.pcall('HSET', minute, 'clients', clients)
  redis.pcall('EXPIRE', minute, ARGV[3])
end
return 1`);

export async function sampleStats(
  redis: FarmRedis,
  keys: RedisKeys,
  models: readonly string[],
): Promise<void> {
  const queues = models.flatMap((model) => [
    ...waitingKeys(keys, queueName(model, 'interactive')),
    ...waitingKeys(keys, queueName(model, 'bulk')),
  ]);
  await sampleScript.run(
    redis,
    [keys.clients, keys.statsPrefix, keys.statsMinutePrefix, ...queues],
    [CLIENT_TTL_MS, STATS_SECOND_TTL_S, MINUTE_TTL_S],
  );
}

/** Where BullMQ keeps a queue's waiting jobs: those without and those with a priority. */
export function waitingKeys(keys: RedisKeys, queue: string): [wait: string, prioritized: string] {
  return [`${keys.prefix}:${queue}:wait`, `${keys.prefix}:${queue}:prioritized`];
}
