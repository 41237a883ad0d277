import type { Lane, RedisKeys } from '@embedfarm/contract';
import os from 'node:os';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { announceClient, removeClient } from '../redis/presence.ts';
import type { ReadReplies } from '../redis/reply-trimmer.ts';
import { MINUTE_FIELDS } from './minute-fields.ts';
import { MinuteSums } from './minute-sums.ts';

/** A reply that is older was read after a pause of its client, or by another clock than it was written. */
const MAX_REPLY_MS = 600_000;
/** The id of a stream's entry is a whole number of ms: on average it is half of one too early. */
const ID_ROUNDING_MS = 0.5;

export interface ClientPresenceParts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly clientId: string;
  /** What its process calls it. */
  readonly name: string | undefined;
  /** Texts of its calls and streams that the farm holds now. */
  readonly inFlightTexts: () => number;
}

/** What the farm knows of a client: that it lives, what it says of itself, and what only it can measure. */
export class ClientPresence {
  readonly #parts: ClientPresenceParts;
  #sums = new MinuteSums();

  constructor(parts: ClientPresenceParts) {
    this.#parts = parts;
  }

  /** A reply was read; how long after it was stored, in ms by Redis' clock. */
  replied(lane: Lane, afterMs: number): void {
    if (Math.abs(afterMs) > MAX_REPLY_MS) return;
    const fields = MINUTE_FIELDS.lanes[lane];
    this.#sums.add(fields.replies, 1);
    this.#sums.add(fields.replyUs, (afterMs - ID_ROUNDING_MS) * 1_000);
  }

  /** Texts that the cache answered without a job. */
  found(texts: number): void {
    this.#sums.add(MINUTE_FIELDS.cacheLookups, texts);
    this.#sums.add(MINUTE_FIELDS.cacheHits, texts);
  }

  /** The heartbeat, which takes away what was read. @returns the last id of the client's reply stream. */
  async announce(read?: ReadReplies): Promise<string> {
    const { redis, keys, clientId, name = '', inFlightTexts } = this.#parts;
    const report = { name, host: os.hostname(), pid: process.pid, inFlightTexts: inFlightTexts() };
    const sums = this.#take();
    try {
      return await announceClient(redis, keys, clientId, { report, sums, read });
    } catch (thrown) {
      this.#sums.merge(sums);
      throw thrown;
    }
  }

  /** Takes the client's leave. */
  async leave(): Promise<void> {
    const { redis, keys, clientId } = this.#parts;
    await removeClient(redis, keys, clientId, this.#take());
  }

  #take(): MinuteSums {
    const sums = this.#sums;
    this.#sums = new MinuteSums();
    return sums;
  }
}
