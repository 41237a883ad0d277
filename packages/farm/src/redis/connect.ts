import type { Redis } from 'ioredis';
import { FarmError, hidePassword, parseRedisAddress, type RedisKeys } from '@embedfarm/contract';
import { corkWrites } from './cork-writes.ts';
import { isCluster, type FarmRedis } from './farm-redis.ts';
import { openRedis } from './open-redis.ts';
import { watchAnswers } from './watch-answers.ts';

export { hidePassword } from '@embedfarm/contract';

/**
 * What a connection is for. `many`: many commands at once. `few`: a client's, which may make a few calls a second; what
 * each of them costs counts. `one`: such a client's reads, one at a time.
 */
export type ConnectionUse = 'many' | 'few' | 'one';

/**
 * One connection that outlives its Redis: it retries for ever, and commands wait for it.
 * Who waits for a command has a deadline of his own.
 *
 * @throws FarmError `invalid_argument` when `url` is no address of a Redis: see parseRedisAddress.
 */
export function connectRedis(url: string, use: ConnectionUse = 'many'): FarmRedis {
  const redis = openRedis(parseRedisAddress(url), use !== 'many');
  // Without a listener ioredis prints every failed attempt. State is asked for where it matters.
  redis.on('error', ignoreError);
  const prepare = (node: Redis): void => {
    if (use !== 'many') watchAnswers(node);
    if (use !== 'one') corkWrites(node, use === 'many' ? 'turn' : 'step');
  };
  if (isCluster(redis)) redis.on('+node', prepare);
  else prepare(redis);
  return redis;
}

/**
 * Waits until the Redis that holds the keys answers.
 *
 * @throws FarmError `redis_unavailable` after `timeoutMs`, naming the URL without its password;
 * `invalid_argument` for keys that a Cluster would spread over its nodes; `cancelled` on abort.
 */
export async function waitForRedis(
  redis: FarmRedis,
  url: string,
  keys: RedisKeys,
  { signal, timeoutMs }: { signal?: AbortSignal | undefined; timeoutMs: number },
): Promise<void> {
  if (isCluster(redis) && !/\{[^}]+\}/.test(keys.prefix)) {
    throw new FarmError(
      'invalid_argument',
      `prefix must hold a hash tag, as {embedfarm}, for a Redis Cluster; got ${JSON.stringify(keys.prefix)}`,
    );
  }
  let lastFault = 'no answer';
  const onError = (error: Error): void => {
    lastFault = faultOf(error) || lastFault;
  };
  redis.on('error', onError);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await Promise.race([
      // Not PING: of a Cluster's nodes only one matters.
      redis.exists(keys.clients),
      new Promise((_, reject) => {
        timer = setTimeout(() => {
          reject(
            new FarmError(
              'redis_unavailable',
              `no Redis at ${hidePassword(url)} within ${timeoutMs} ms: ${lastFault}`,
            ),
          );
        }, timeoutMs);
        onAbort = () => reject(new FarmError('cancelled', 'connecting to Redis was aborted'));
        if (signal?.aborted === true) onAbort();
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } catch (thrown) {
    if (thrown instanceof FarmError) throw thrown;
    throw new FarmError('redis_unavailable', `${hidePassword(url)}: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  } finally {
    clearTimeout(timer);
    redis.off('error', onError);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

/** A Cluster's error says only that no node answered, and keeps why. */
function faultOf(error: Error & { code?: string; lastNodeError?: Error }): string {
  if (error.lastNodeError) return faultOf(error.lastNodeError);
  return error.message || (error.code ?? '');
}

/** What ending a connection needs of it: BullMQ hands out its own in a dress of this form. */
interface Connection {
  readonly status: string;
  readonly isCluster?: boolean;
  connect(): unknown;
  disconnect(): void;
}

/** Ends a connection; what still waits on it is rejected. */
export function disconnectRedis(redis: Connection): void {
  const isResting = redis.status === 'reconnecting';
  redis.disconnect();
  if (isCluster(redis)) {
    // It parks commands while no node is there, and would keep them for ever.
    redis.options.enableOfflineQueue = false;
    (redis as unknown as { flushQueue(error: Error): void }).flushQueue(new Error('Connection is closed.'));
    return;
  }
  if (!isResting) return;
  // Between two attempts there is no socket whose end would reject what waits. An attempt called off does it.
  Promise.resolve(redis.connect()).catch(ignoreError);
  redis.disconnect();
}

function ignoreError(): void {
  // See connectRedis.
}
