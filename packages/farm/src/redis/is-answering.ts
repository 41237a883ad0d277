import { FarmError, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from './farm-redis.ts';
import { withDeadline } from './with-deadline.ts';

/** Whether the Redis that holds the keys answers: at once where there is no connection, else within `timeoutMs`. */
export async function isAnswering(redis: FarmRedis, keys: RedisKeys, timeoutMs: number): Promise<boolean> {
  // A command would wait for the connection.
  if (redis.status !== 'ready') return false;
  const fault = (): FarmError =>
    new FarmError('redis_unavailable', `Redis did not answer within ${timeoutMs} ms`);
  // Not PING: of a Cluster's nodes only one matters.
  return await withDeadline(redis.exists(keys.clients), { timeoutMs }, fault).then(
    () => true,
    () => false,
  );
}
