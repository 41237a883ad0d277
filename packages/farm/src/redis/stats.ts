import { queueName, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';
import { CLIENT_TTL_MS } from './presence.ts';
import { RedisScript } from './redis-script.ts';

/** Seconds are kept for an hour. */
export const STATS_SECOND_TTL_S = 3_600;

/**
 * Records this second's backlog and number of clients, once, whoever asks first.
 * KEYS clients, stats prefix, then wait and prioritized of each model's lanes in the order
 * interactive wait, interactive prioritized, bulk wait, bulk prioritized; ARGV client TTL, stats TTL.
 */
const sampleScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stats = KEYS[2] .. time[1]
if redis.call('HEXISTS', stats, 'clients') == 1 then return 0 end
local clients = redis.call('ZCOUNT', KEYS[1], now - tonumber(ARGV[1]), '+inf')
local backlog = { 0, 0 }
for i = 3, #KEYS, 2 do
  local lane = ((i - 3) % 4 < 2) and 1 or 2
  backlog[lane] = backlog[lane] + redis.call('LLEN', KEYS[i]) + redis.call('ZCARD', KEYS[i + 1])
end
redis.call('HSET', stats, 'clients', clients, 'backlog:interactive', backlog[1], 'backlog:bulk', backlog[2])
redis.call('EXPIRE', stats, ARGV[2])
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
    [keys.clients, keys.statsPrefix, ...queues],
    [CLIENT_TTL_MS, STATS_SECOND_TTL_S],
  );
}

/** Where BullMQ keeps a queue's waiting jobs: those without and those with a priority. */
export function waitingKeys(keys: RedisKeys, queue: string): [wait: string, prioritized: string] {
  return [`${keys.prefix}:${queue}:wait`, `${keys.prefix}:${queue}:prioritized`];
}
