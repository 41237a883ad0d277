import { parseReply, type RedisKeys, type Reply } from '@embedfarm/contract';
import type { Redis } from 'ioredis';
import { disconnectRedis } from './connect.ts';
import { announceClient } from './presence.ts';

/** Replies taken with one read; 64 KiB each at most. */
const READ_COUNT = 128;
/** A read waits this long; close() cuts it short. */
const READ_BLOCK_MS = 5_000;
/** Rest after a failed read, so that a broken Redis is not asked in a tight loop. */
const READ_RETRY_MS = 200;

export interface ReplyStreamOptions {
  /** For reading alone: the read blocks. */
  readonly blocking: Redis;
  readonly command: Redis;
  readonly keys: RedisKeys;
  readonly clientId: string;
  /** Takes each reply; what it throws is its own fault and stops nothing. */
  readonly onReply: (reply: Reply) => void;
}

/**
 * A client's replies, read from the last id it saw: a lost connection loses no reply. What was
 * read is trimmed, together with the results that came with it.
 */
export class ReplyStream {
  readonly #options: ReplyStreamOptions;
  readonly #key: string;
  #lastId = '0-0';
  #closed = false;
  #reading: Promise<void> = Promise.resolve();

  private constructor(options: ReplyStreamOptions) {
    this.#options = options;
    this.#key = options.keys.reply(options.clientId);
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
    const { command, keys, clientId } = this.#options;
    const lastId = await announceClient(command, keys, clientId);
    if (isBefore(lastId, this.#lastId)) this.#lastId = '0-0';
  }

  async close(): Promise<void> {
    this.#closed = true;
    disconnectRedis(this.#options.blocking);
    await this.#reading;
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
    const { command, keys, onReply } = this.#options;
    const results: string[] = [];
    for (const [id, fields] of entries) {
      this.#lastId = id.toString();
      const reply = tryParse(fields);
      if (!reply) continue;
      // A reply without its block is fetched from the result by its taker, who unlinks it after.
      if (reply.block) results.push(keys.result(reply.jobId));
      onReply(reply);
    }
    // What was read goes, the last entry too: the next read starts after its id.
    const trimmed = command.pipeline().xtrim(this.#key, 'MINID', nextId(this.#lastId));
    if (results.length > 0) trimmed.unlink(...results);
    trimmed.exec().catch(() => undefined);
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

function nextId(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return `${ms}-${BigInt(sequence) + 1n}`;
}

function isBefore(id: string, other: string): boolean {
  const [ms = '0', sequence = '0'] = id.split('-');
  const [otherMs = '0', otherSequence = '0'] = other.split('-');
  return ms === otherMs ? BigInt(sequence) < BigInt(otherSequence) : BigInt(ms) < BigInt(otherMs);
}
