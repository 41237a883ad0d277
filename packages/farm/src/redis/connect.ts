import { FarmError } from '@embedfarm/contract';
import { Redis } from 'ioredis';
import { corkWrites } from './cork-writes.ts';

/** A connection that says nothing for so long while it is asked is dead: longer than any read blocks (BullMQ: 10 s). */
const SILENCE_MS = 15_000;
/** Reconnects at least this often, so that a farm is back soon after its Redis is. */
const MAX_RETRY_DELAY_MS = 300;

/**
 * One connection that outlives its Redis: it retries for ever, and commands wait for it.
 * Who waits for a command has a deadline of his own.
 *
 * @throws FarmError `invalid_argument` when `url` is not a redis:// or rediss:// URL.
 */
export function connectRedis(url: string): Redis {
  if (!/^rediss?:\/\//.test(url) || !isUrl(url)) {
    throw new FarmError(
      'invalid_argument',
      `redis must be a redis:// or rediss:// URL, got ${hidePassword(url)}`,
    );
  }
  const redis = new Redis(url, {
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RETRY_DELAY_MS),
    // BullMQ needs null; a command waits until Redis is back.
    maxRetriesPerRequest: null,
    // A host that is gone without a word is noticed; TCP alone takes a quarter of an hour for it.
    connectTimeout: 5_000,
    keepAlive: 5_000,
    socketTimeout: SILENCE_MS,
    // One form of reply for all servers; measured facts are on RESP2.
    protocol: 2,
  });
  // Without a listener ioredis prints every failed attempt. State is asked for where it matters.
  redis.on('error', ignoreError);
  corkWrites(redis);
  return redis;
}

/**
 * Waits until Redis answers.
 *
 * @throws FarmError `redis_unavailable` after `timeoutMs`, naming the URL without its password;
 * `cancelled` on abort.
 */
export async function waitForRedis(
  redis: Redis,
  url: string,
  { signal, timeoutMs }: { signal?: AbortSignal | undefined; timeoutMs: number },
): Promise<void> {
  let lastFault = 'no answer';
  const onError = (error: Error): void => {
    lastFault = error.message || (error as NodeJS.ErrnoException).code || lastFault;
  };
  redis.on('error', onError);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await Promise.race([
      redis.ping(),
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

/** What ending a connection needs of it: BullMQ hands out its own in a dress of this form. */
interface Connection {
  readonly status: string;
  connect(): unknown;
  disconnect(): void;
}

/** Ends a connection; what still waits on it is rejected. */
export function disconnectRedis(redis: Connection): void {
  const isResting = redis.status === 'reconnecting';
  redis.disconnect();
  if (!isResting) return;
  // Between two attempts there is no socket whose end would reject what waits. An attempt called off does it.
  Promise.resolve(redis.connect()).catch(ignoreError);
  redis.disconnect();
}

/** A URL fit for messages and logs. */
export function hidePassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^/@]*:)[^@]*@/, '$1***@').replace(/([?&]password=)[^&]*/, '$1***');
}

/** `redis://` alone is the Redis of this machine. */
function isUrl(url: string): boolean {
  return /^rediss?:\/\/$/.test(url) || URL.canParse(url);
}

function ignoreError(): void {
  // See connectRedis.
}
