import {
  FarmError,
  joinBlocks,
  sliceBlock,
  type EncodeOptions,
  type EncodeText,
  type Lane,
  type ModelRegistration,
  type RedisKeys,
  type VectorBlock,
} from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import { decodeEntry, encodeEntry, entryShape, type EntryShape } from '../cache/cache-entry.ts';
import { cacheHasher } from '../cache/cache-key.ts';
import { CacheLease } from '../cache/cache-lease.ts';
import { CacheRoom } from '../cache/cache-room.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import type { Encoder } from './encoder.ts';

/** Between two looks at a text that another chunk encodes: short for a batch of milliseconds, then less often. */
const FIRST_REST_MS = 10;
const LONGEST_REST_MS = 100;
/** Whose owner lives and renews, but does not end, is encoded here after all. */
const MAX_WAIT_MS = 60_000;

export interface CachedEncoderParts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly registration: ModelRegistration;
  readonly encoder: Pick<Encoder, 'encode'>;
  /** Life of a lease that is not renewed: that of a job's lock. */
  readonly lockDurationMs: number;
  readonly onFault: (what: string, fault: unknown) => void;
  /** Told of texts that were answered here: each counts once. */
  readonly onLookup?: ((counts: { lookups: number; hits: number }) => void) | undefined;
}

/** How a chunk is to be encoded. Without `cacheTtlMs` the cache is neither read nor written. */
export interface CachedCall {
  readonly signal: AbortSignal;
  readonly lane: Lane;
  readonly cacheTtlMs?: number | undefined;
}

/** An encoder behind the cache: it gets the texts that nobody has encoded, nor is encoding. */
export class CachedEncoder {
  readonly #parts: CachedEncoderParts;
  readonly #room: CacheRoom;

  constructor(parts: CachedEncoderParts) {
    this.#parts = parts;
    this.#room = new CacheRoom(parts.redis, parts.keys);
  }

  /** @throws FarmError as the encoder does; what the cache fails with is never the call's error. */
  async encode(
    texts: readonly EncodeText[],
    options: EncodeOptions,
    { cacheTtlMs, ...call }: CachedCall,
  ): Promise<VectorBlock> {
    const { redis, keys, registration, encoder, lockDurationMs } = this.#parts;
    if (cacheTtlMs === undefined) return await encoder.encode(texts, options, call);
    const chunk = new CachedChunk(
      texts,
      cacheHasher(registration, options),
      entryShape(registration, options),
    );
    const lease = new CacheLease(redis, keys, call.lane, lockDurationMs);
    // No chunk holds a lease while it waits for another's: its own texts are encoded, stored and let go of first, and
    // those that it is left with later at once. So every wait is for one who works, and none waits in a ring.
    let repeats = texts.length - chunk.open.length;
    let restMs = FIRST_REST_MS;
    const startedAt = performance.now();
    while (chunk.open.length > 0) {
      const force = performance.now() - startedAt > MAX_WAIT_MS;
      const { mine, isKept } = await this.#claim(chunk, lease, { repeats, force });
      repeats = 0;
      if (mine.length > 0) {
        const keepFor = isKept ? cacheTtlMs : undefined;
        chunk.put(
          mine,
          await this.#encodeMine(chunk, mine, lease, keepFor, (own) => encoder.encode(own, options, call)),
        );
      } else if (chunk.open.length > 0) {
        await rest(restMs, undefined, { signal: call.signal }).catch(() => undefined);
        if (call.signal.aborted) throw new FarmError('cancelled', 'the chunk was aborted');
        restMs = Math.min(restMs * 1.5, LONGEST_REST_MS);
      }
    }
    return chunk.join();
  }

  /** Takes what is there into the chunk. @returns the texts that are left to it. */
  async #claim(
    chunk: CachedChunk,
    lease: CacheLease,
    how: { repeats: number; force: boolean },
  ): Promise<{ mine: string[]; isKept: boolean }> {
    const hashes = chunk.open;
    try {
      const [claims, isKept] = await Promise.all([lease.claim(hashes, how), this.#room.hasRoom()]);
      const bytes = claims.flatMap((claim, at) =>
        typeof claim === 'string' ? [] : [[hashes[at] ?? '', claim] as const],
      );
      const broken = bytes.filter(([hash, entry]) => !chunk.take(hash, entry)).map(([hash]) => hash);
      if (broken.length > 0) this.#tell('dropping broken entries', lease.drop(broken));
      // A text with a broken entry is encoded without a lease: in place of what cannot be read it gets another.
      const mine = hashes.filter((hash, at) => claims[at] === 'mine' || broken.includes(hash));
      const hits = how.repeats + bytes.length - broken.length;
      this.#parts.onLookup?.({ lookups: mine.length + hits, hits });
      return { mine, isKept };
    } catch (fault) {
      // A cache that cannot be asked has nothing.
      this.#parts.onFault('cache: claiming', fault);
      return { mine: [...hashes], isKept: false };
    }
  }

  async #encodeMine(
    chunk: CachedChunk,
    mine: readonly string[],
    lease: CacheLease,
    ttlMs: number | undefined,
    encode: (texts: readonly EncodeText[]) => Promise<VectorBlock>,
  ): Promise<VectorBlock> {
    const renewal = setInterval(
      () => this.#tell('renewing', lease.renew(mine)),
      this.#parts.lockDurationMs / 3,
    );
    try {
      const block = await encode(mine.map((hash) => chunk.textOf(hash)));
      const entries = ttlMs === undefined ? [] : mine.map((_, at) => encodeEntry(block, at, chunk.shape));
      // On its way before the chunk's own result, by the same connection.
      this.#tell('storing', lease.settle(mine, entries, ttlMs ?? 1));
      return block;
    } catch (thrown) {
      // The next who waits encodes them, and does not wait for the leases to run out.
      this.#tell('letting go', lease.settle(mine, [], 1));
      throw thrown;
    } finally {
      clearInterval(renewal);
    }
  }

  /** What the cache does beside the call is no part of it. */
  #tell(what: string, step: Promise<void>): void {
    step.catch((fault: unknown) => this.#parts.onFault(`cache: ${what}`, fault));
  }
}

/** The texts of one chunk by their hash, and what there is of them. */
class CachedChunk {
  readonly shape: EntryShape;
  readonly #hashes: readonly string[];
  readonly #open = new Map<string, EncodeText>();
  readonly #found = new Map<string, VectorBlock>();
  /** The block that holds all texts as they stand, where nothing was there. */
  #whole: VectorBlock | undefined;

  constructor(texts: readonly EncodeText[], hashOf: (text: EncodeText) => string, shape: EntryShape) {
    this.shape = shape;
    this.#hashes = texts.map(hashOf);
    for (const [at, text] of texts.entries()) this.#open.set(this.#hashes[at] ?? '', text);
  }

  /** Each text once that has no vector yet, in their order. */
  get open(): readonly string[] {
    return [...this.#open.keys()];
  }

  textOf(hash: string): EncodeText {
    return this.#open.get(hash) ?? '';
  }

  /** @returns false for bytes that are no entry. */
  take(hash: string, bytes: Buffer): boolean {
    const entry = decodeEntry(bytes, this.shape);
    if (entry) this.#put(hash, entry);
    return entry !== undefined;
  }

  /** The block of texts that were encoded here. */
  put(hashes: readonly string[], block: VectorBlock): void {
    if (hashes.length === this.#hashes.length) {
      this.#whole = block;
      this.#open.clear();
      return;
    }
    for (const [at, hash] of hashes.entries()) this.#put(hash, sliceBlock(block, at, at + 1));
  }

  join(): VectorBlock {
    return this.#whole ?? joinBlocks(this.#hashes.flatMap((hash) => this.#found.get(hash) ?? []));
  }

  #put(hash: string, one: VectorBlock): void {
    this.#found.set(hash, one);
    this.#open.delete(hash);
  }
}
