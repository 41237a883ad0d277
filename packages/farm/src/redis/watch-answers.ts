import type { Redis } from 'ioredis';

/** A look that finds no byte since the last one, and an answer owed. */
const LOOK_MS = 2_500;
/** So many of them: 12.5 to 15 s. Blocking reads end after 10 s at most. */
const MAX_SILENT_LOOKS = 5;

/**
 * Ends a connection whose server owes an answer and says nothing: it is gone without a word, and a new connection may
 * work. ioredis' own `socketTimeout` does the same with a timer and a listener for each command, which a client of few
 * calls pays for with a thirtieth of its CPU; here one timer looks after all connections of the process.
 *
 * Looks are counted, not time: a process that was stopped for a minute has answers to read first.
 */
export function watchAnswers(redis: Redis): void {
  redis.on('connect', () => {
    const watch = { redis, stream: redis.stream, bytesRead: -1, silentLooks: 0 };
    watched.add(watch);
    looking ??= setInterval(lookAtAll, LOOK_MS).unref();
    redis.stream.once('close', () => {
      watched.delete(watch);
      if (watched.size > 0) return;
      clearInterval(looking);
      looking = undefined;
    });
  });
}

interface Watch {
  readonly redis: Redis;
  readonly stream: Redis['stream'];
  bytesRead: number;
  silentLooks: number;
}

const watched = new Set<Watch>();
let looking: NodeJS.Timeout | undefined;

function lookAtAll(): void {
  for (const watch of watched) {
    const { redis, stream, bytesRead } = watch;
    watch.bytesRead = stream.bytesRead;
    watch.silentLooks = owesAnswer(redis) && bytesRead === stream.bytesRead ? watch.silentLooks + 1 : 0;
    if (watch.silentLooks < MAX_SILENT_LOOKS) continue;
    stream.destroy(
      new Error(`the server owes an answer, and said nothing for ${MAX_SILENT_LOOKS * LOOK_MS} ms`),
    );
  }
}

function owesAnswer(redis: Redis): boolean {
  // The only place that knows: commands that are sent and not answered.
  return (redis as unknown as { readonly commandQueue: { readonly length: number } }).commandQueue.length > 0;
}
