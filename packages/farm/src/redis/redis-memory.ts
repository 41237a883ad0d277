import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';

/** INFO itself has no key, so a Cluster would let any node answer. KEYS clients. */
const memoryScript = new RedisScript(`return redis.call('INFO', 'memory')`);

/** INFO memory of the server that holds the farm's keys. */
export async function readRedisMemory(redis: FarmRedis, keys: RedisKeys): Promise<string> {
  return String(await memoryScript.run(redis, [keys.clients], []));
}
