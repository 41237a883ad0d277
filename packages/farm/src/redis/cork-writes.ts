import type { Redis } from 'ioredis';

/**
 * Commands of one turn of the event loop leave with one system call. ioredis writes each by itself, and
 * a worker that ends a batch of six texts has six results to store at the same moment: a write costs more
 * than the command in it.
 */
export function corkWrites(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const write = stream.write.bind(stream) as (...data: unknown[]) => boolean;
    let isCorked = false;
    stream.write = (...data: unknown[]): boolean => {
      if (!isCorked) {
        isCorked = true;
        stream.cork();
        setImmediate(() => {
          isCorked = false;
          stream.uncork();
        });
      }
      return write(...data);
    };
  });
}
