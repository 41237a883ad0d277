import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';

/** TIME itself has no key, so a Cluster would let any node answer, each with a clock of its own. KEYS clients. */
const timeScript = new RedisScript(`return redis.call('TIME')`);

/** TIME of the server that holds the farm's keys, in ms since 1970, with a fraction. */
export async function readRedisTimeMs(redis: FarmRedis, keys: RedisKeys): Promise<number> {
  const [seconds, microseconds] = (await timeScript.run(redis, [keys.clients], [])) as [string, string];
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}
