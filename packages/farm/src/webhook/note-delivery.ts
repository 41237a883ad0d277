import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import type { DeliveryOutcome } from './deliver-webhook.ts';

/** KEYS request; ARGV state, attempts, error. A request that is gone stays so. */
const noteScript = new RedisScript(`
if redis.call('HEXISTS', KEYS[1], 'webhook') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'webhookState', ARGV[1], 'webhookAttempts', ARGV[2], 'webhookError', ARGV[3])
return 1`);

/** Keeps what became of an attempt with its request, as long as that lives. */
export async function noteDelivery(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  { state, attempts, error }: DeliveryOutcome,
): Promise<void> {
  await noteScript.run(redis, [keys.request(requestId)], [state, attempts, error]);
}
