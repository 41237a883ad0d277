import { FarmError, findWebhookHost, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';

/** Hosts are remembered this long after the last worker that delivers to them, as models are. */
const HOSTS_TTL_MS = 7 * 24 * 3_600_000;

/** KEYS webhook-hosts; ARGV TTL, then entries. */
const serveScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`);

/** Says which hosts a worker delivers to. Called with every heartbeat. */
export async function serveHosts(
  redis: FarmRedis,
  keys: RedisKeys,
  entries: readonly string[],
): Promise<void> {
  await serveScript.run(redis, [keys.webhookHosts], [HOSTS_TTL_MS, ...entries]);
}

/**
 * Whether some worker delivers to this URL, asked before a request is taken.
 *
 * @throws FarmError `invalid_argument` when none does.
 */
export async function checkWebhookHost(redis: FarmRedis, keys: RedisKeys, webhook: string): Promise<void> {
  const url = new URL(webhook);
  if (findWebhookHost(await redis.zrevrange(keys.webhookHosts, 0, -1), url)) return;
  throw new FarmError(
    'invalid_argument',
    `webhook: no worker delivers to ${url.origin}; --webhook-hosts of the workers says where they may`,
  );
}
