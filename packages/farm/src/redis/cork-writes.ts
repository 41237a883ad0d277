import type { Redis } from 'ioredis';

/**
 * What leaves together: the commands of one `turn` of the event loop, or those of one `step`, a callback and the
 * promises that it settles. A step needs no turn of its own to end it, which in a process of few commands is most of
 * what corking costs.
 */
export type Corked = 'turn' | 'step';

/**
 * Commands leave with one system call. ioredis writes each by itself, and
 * a worker that ends a batch of six texts has six results to store at the same moment: a write costs more
 * than the command in it.
 */
export function corkWrites(redis: Redis, corked: Corked): void {
  const later = (flush: () => void): void => {
    if (corked === 'turn') setImmediate(flush);
    else process.nextTick(flush);
  };
  redis.on('connect', () => {
    const { stream } = redis;
    const write = stream.write.bind(stream) as (...data: unknown[]) => boolean;
    let isCorked = false;
    stream.write = (...data: unknown[]): boolean => {
      if (!isCorked) {
        isCorked = true;
        stream.cork();
        later(() => {
          isCorked = false;
          stream.uncork();
        });
      }
      return write(...data);
    };
  });
}
