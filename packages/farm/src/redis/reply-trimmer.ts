import type { FarmRedis } from './farm-redis.ts';

/** Read replies are trimmed together: after so many, so many bytes, or so long. */
const MAX_REPLIES = 64;
const MAX_BYTES = 1024 * 1024;
/**
 * A client of few calls wakes up for a trim of its own: with 250 ms, every one of four calls a second had one, which was
 * a third of the CPU that the call cost its client, and an eighth of what it cost in all (MiniLM, 32 clients).
 */
const MAX_AGE_MS = 2_000;

/** Takes away what a client has read: its replies, and the results that came with them. */
export class ReplyTrimmer {
  readonly #redis: FarmRedis;
  readonly #streamKey: string;
  #lastId: string | undefined;
  #resultKeys: string[] = [];
  #replies = 0;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: FarmRedis, streamKey: string) {
    this.#redis = redis;
    this.#streamKey = streamKey;
  }

  /** A reply was taken. `resultKey` where its result was read with it. */
  put(entryId: string, resultKey: string | undefined, bytes: number): void {
    this.#lastId = entryId;
    this.#replies += 1;
    this.#bytes += bytes;
    if (resultKey !== undefined) this.#resultKeys.push(resultKey);
    if (this.#replies >= MAX_REPLIES || this.#bytes >= MAX_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), MAX_AGE_MS);
  }

  /** Now. What Redis does not take now has a time to live. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lastId === undefined) return;
    // The last entry goes too: the next read starts after its id.
    const trimmed = this.#redis.pipeline().xtrim(this.#streamKey, 'MINID', nextId(this.#lastId));
    if (this.#resultKeys.length > 0) trimmed.unlink(...this.#resultKeys);
    trimmed.exec().catch(() => undefined);
    this.#lastId = undefined;
    this.#resultKeys = [];
    this.#replies = 0;
    this.#bytes = 0;
  }
}

function nextId(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return `${ms}-${BigInt(sequence) + 1n}`;
}
