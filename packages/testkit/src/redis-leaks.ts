import { Redis } from 'ioredis';

/** Keys that may stand for ever: a queue's own bookkeeping in BullMQ, the small indices trimmed by score, and what people set. */
const LASTING_KEYS: readonly RegExp[] = [
  /:(meta|id|events|marker|pc|stalled)$/,
  /^\{embedfarm\d*\}:(clients|workers|models|requests|admission|limits|weights)$/,
  /^\{embedfarm\d*\}:model-workers:/,
];

/**
 * Every key that has no time to live and should have one, sorted. Empty once all work is done and all is well.
 *
 * @param allowed further keys that may last.
 */
export async function keysWithoutTtl(url: string, allowed: readonly RegExp[] = []): Promise<string[]> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 2_000, commandTimeout: 5_000 });
  // The command's own rejection tells.
  redis.on('error', () => undefined);
  try {
    const keys = new Set<string>();
    let cursor = '0';
    do {
      const [next, found] = await redis.scan(cursor, 'COUNT', 1_000);
      for (const key of found) keys.add(key);
      cursor = next;
    } while (cursor !== '0');
    const patterns = [...LASTING_KEYS, ...allowed];
    const lasting = [...keys].filter((key) => !patterns.some((pattern) => pattern.test(key)));
    const ttls = await Promise.all(lasting.map((key) => redis.pttl(key)));
    return lasting.filter((_, index) => ttls[index] === -1).sort();
  } finally {
    redis.disconnect();
  }
}
