import { FIRST_SHARD, parseReply, type RedisKeys, type Reply } from '@embedfarm/contract';
import { disconnectRedis } from './connect.ts';
import type { FarmRedis } from './farm-redis.ts';
import { ReplyTrimmer, type ReadReplies } from './reply-trimmer.ts';
import { isStreamJob } from './stream-job-id.ts';

/** Replies taken with one read; 64 KiB each at most. */
const READ_COUNT = 128;
/** A read waits this long; close() cuts it short. */
const READ_BLOCK_MS = 5_000;
/** Rest after a failed read, so that a broken Redis is not asked in a tight loop. */
const READ_RETRY_MS = 200;

export interface ReplyStreamOptions {
  /** For reading alone: the read blocks. */
  readonly blocking: FarmRedis;
  readonly command: FarmRedis;
  readonly keys: RedisKeys;
  readonly clientId: string;
  /** Says that the client lives, and what it has read. @returns the last id of its stream. */
  readonly announce: (read: ReadReplies | undefined) => Promise<string>;
  /** Takes each reply, and when Redis stored it, in ms; what it throws is its own fault and stops nothing. */
  readonly onReply: (reply: Reply, storedAtMs: number) => void;
}

/**
 * A client's replies, read from the last id it saw: a lost connection loses no reply. What was
 * read is trimmed, together with the results that came with it.
 */
export class ReplyStream {
  readonly #options: ReplyStreamOptions;
  readonly #key: string;
  readonly #trimmer: ReplyTrimmer;
  #lastId = '0-0';
  #closed = false;
  #reading: Promise<void> = Promise.resolve();

  private constructor(options: ReplyStreamOptions) {
    this.#options = options;
    this.#key = options.keys.reply(options.clientId);
    this.#trimmer = new ReplyTrimmer(options.command, this.#key);
  }

  static async open(options: ReplyStreamOptions): Promise<ReplyStream> {
    const stream = new ReplyStream(options);
    await stream.renew();
    stream.#reading = stream.#read();
    return stream;
  }

  /**
   * The client's heartbeat. A stream whose last id is behind ours is another stream (a failover
   * lost the newer one, or Redis came back empty): it is read from its beginning.
   */
  async renew(): Promise<void> {
    const lastId = await this.#options.announce(this.#trimmer.take());
    if (isBefore(lastId, this.#lastId)) this.#lastId = '0-0';
  }

  async close(): Promise<void> {
    this.#closed = true;
    disconnectRedis(this.#options.blocking);
    await this.#reading;
    this.#trimmer.flush();
  }

  async #read(): Promise<void> {
    const { blocking } = this.#options;
    while (!this.#closed) {
      try {
        const streams = await blocking.xreadBuffer(
          'COUNT',
          READ_COUNT,
          'BLOCK',
          READ_BLOCK_MS,
          'STREAMS',
          this.#key,
          this.#lastId,
        );
        // RESP2 gives a list of [key, entries], RESP3 would give a map; connectRedis asks for RESP2.
        const entries = (streams as [Buffer, [Buffer, Buffer[]][]][] | null)?.[0]?.[1];
        if (entries && entries.length > 0) this.#take(entries);
      } catch {
        if (this.#closed) return;
        await new Promise((resolve) => setTimeout(resolve, READ_RETRY_MS));
      }
    }
  }

  #take(entries: readonly [Buffer, Buffer[]][]): void {
    const { keys, clientId, onReply } = this.#options;
    for (const [id, fields] of entries) {
      this.#lastId = id.toString();
      const reply = tryParse(fields);
      // One that was put there by hand may name anybody's job, whose result would go with it.
      const isOwn = reply?.jobId.startsWith(`${FIRST_SHARD}-${clientId}-`) === true;
      if (reply && (isOwn || isStreamJob(reply.jobId))) onReply(reply, Number.parseInt(this.#lastId, 10));
      // A reply without its block is fetched from the result by its taker, who unlinks it after.
      const isRead = isOwn && reply?.block !== undefined;
      const resultKey = isRead ? keys.result(reply.jobId) : undefined;
      this.#trimmer.put(this.#lastId, resultKey, reply?.block?.byteLength ?? 0);
    }
  }
}

function tryParse(fields: readonly Buffer[]): Reply | undefined {
  try {
    return parseReply(fields);
  } catch {
    // An entry that is no reply was put there by hand; the sweep finds what it may have stood for.
    return undefined;
  }
}

function isBefore(id: string, other: string): boolean {
  const [ms = '0', sequence = '0'] = id.split('-');
  const [otherMs = '0', otherSequence = '0'] = other.split('-');
  return ms === otherMs ? BigInt(sequence) < BigInt(otherSequence) : BigInt(ms) < BigInt(otherMs);
}
