import { Redis } from 'ioredis';

/** One command to a Redis, by a connection of its own that is closed after. @throws what Redis answers. */
export async function callRedis(
  url: string,
  command: string,
  ...args: (string | number)[]
): Promise<unknown> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 5_000, commandTimeout: 10_000 });
  // The command's own rejection tells.
  redis.on('error', () => undefined);
  try {
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}
