import type { FarmRedis } from './farm-redis.ts';

/** Read replies are trimmed together: after so many, so many bytes, or with the next heartbeat. */
const MAX_REPLIES = 64;
const MAX_BYTES = 1024 * 1024;

/** What a client has read, for Redis to take away. */
export interface ReadReplies {
  /** Entries of the reply stream before this id. */
  readonly beforeId: string;
  readonly resultKeys: readonly string[];
}

/**
 * Takes away what a client has read: its replies, and the results that came with them. A client of few calls has no
 * turn of its own for that: with a timer of 250 ms it was a third of the CPU that a call cost its client, with one of
 * 2 s still a thirtieth.
 */
export class ReplyTrimmer {
  readonly #redis: FarmRedis;
  readonly #streamKey: string;
  #lastId: string | undefined;
  #resultKeys: string[] = [];
  #replies = 0;
  #bytes = 0;

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
  }

  /** Now. What Redis does not take now has a time to live. */
  flush(): void {
    const read = this.take();
    if (read === undefined) return;
    const trimmed = this.#redis.pipeline().xtrim(this.#streamKey, 'MINID', read.beforeId);
    if (read.resultKeys.length > 0) trimmed.unlink(...read.resultKeys);
    trimmed.exec().catch(() => undefined);
  }

  /** For who takes it away; undefined where nothing was read. */
  take(): ReadReplies | undefined {
    if (this.#lastId === undefined) return undefined;
    // The last entry goes too: the next read starts after its id.
    const read = { beforeId: nextId(this.#lastId), resultKeys: this.#resultKeys };
    this.#lastId = undefined;
    this.#resultKeys = [];
    this.#replies = 0;
    this.#bytes = 0;
    return read;
  }
}

function nextId(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return `${ms}-${BigInt(sequence) + 1n}`;
}
