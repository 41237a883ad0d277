import {
  decodeVectorBlock,
  encodeJobId,
  failedBlock,
  FarmError,
  MAX_CHUNK_TEXTS,
  type RedisKeys,
  type VectorBlock,
} from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import { IDLE_TIMEOUT_MS, type CallOptions } from '../producer/encode-call.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { noAnswer, withDeadline } from '../redis/with-deadline.ts';
import { tooLate } from './conclude-request.ts';
import { consumeChunks } from './consume-chunks.ts';
import { hasEnded, readRequest, type RequestRecord } from './request-record.ts';

/** Blocks fetched with one round trip: 8 of 256 × 768 floats are 6 MB. */
const FETCH_CHUNKS = 8;
/** Between two looks at a request; grows, so that a long request costs few. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 1_000;

/** The vectors of consecutive texts. */
export interface EncodedChunk {
  /** The model's name in the farm. */
  readonly model: string;
  /** Index of the first of them. */
  readonly from: number;
  readonly block: VectorBlock;
}

export interface ReadOptions {
  /** In the order of the texts, or as they get finished. Default: texts. */
  readonly order?: 'texts' | 'finished' | undefined;
  /** Chunks that lie before this text are left out. */
  readonly from?: number | undefined;
  /** Deletes a chunk's result once the next one is asked for. */
  readonly consume?: boolean | undefined;
}

/** What reading needs of its producer. */
export interface ReadPorts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly nowMs: () => number;
}

/**
 * A request's chunks as they get settled, until it has ended. A chunk that was cancelled is given as such.
 *
 * @throws FarmError `result_expired` when the request or a result of it is gone; `deadline_exceeded` after 60 s
 *   without progress, or `timeoutMs`; `cancelled` on abort.
 */
export async function* requestChunks(
  ports: ReadPorts,
  requestId: string,
  { order = 'texts', from = 0, consume = false }: ReadOptions,
  call: CallOptions,
): AsyncGenerator<EncodedChunk> {
  const startedAt = performance.now();
  const given = new Set<number>();
  let lookMs = FIRST_LOOK_MS;
  let progressAt = startedAt;
  for (;;) {
    const look = await within(lookAt(ports, requestId), call);
    const { record } = look;
    if (record.state === 'expired') {
      // Consumed by this reader.
      if (given.size > 0 && given.size === record.chunks) return;
      throw expired(`the results of request ${requestId} are gone`);
    }
    const ready = readyChunks(look, given, order, from);
    if (ready.length === 0 && hasEnded(record)) {
      // What says which chunks are settled has gone with them, since the record was read.
      if (given.size < record.chunks) throw expired(`the results of request ${requestId} are gone`);
      return;
    }
    for (let at = 0; at < ready.length; at += FETCH_CHUNKS) {
      const slice = ready.slice(at, at + FETCH_CHUNKS);
      const blocks = await within(fetchBlocks(ports, look, slice), call);
      for (const [index, chunk] of slice.entries()) {
        const block = blocks[index];
        if (block) yield { model: record.model, from: look.startOf(chunk), block };
        if (consume) await consumeChunks(ports.redis, ports.keys, requestId, [chunk]);
      }
      tellProgress(call, record);
    }
    if (ready.length > 0) {
      lookMs = FIRST_LOOK_MS;
      // A slow reader is no lack of progress.
      progressAt = performance.now();
      continue;
    }
    const sinceMs = performance.now() - (call.timeoutMs === undefined ? progressAt : startedAt);
    const leftMs = (call.timeoutMs ?? IDLE_TIMEOUT_MS) - sinceMs;
    if (leftMs <= 0) throw tooLate(record);
    await withDeadline(rest(Math.min(lookMs, leftMs)), { signal: call.signal }, noAnswer);
    lookMs = Math.min(lookMs * 1.5, LAST_LOOK_MS);
  }
}

/** A request at one moment: what is settled, and where its chunks begin. */
interface Look {
  readonly record: RequestRecord;
  readonly isSettled: (chunk: number) => boolean;
  /** Index of its first text; of the chunk after the last one, the number of texts. */
  readonly startOf: (chunk: number) => number;
}

async function lookAt({ redis, keys, nowMs }: ReadPorts, requestId: string): Promise<Look> {
  // The record first: a chunk that it counts has its bit.
  const record = await readRequest(redis, keys, requestId, nowMs());
  const [bits, starts] = await redis.mgetBuffer(keys.requestBits(requestId), keys.requestStarts(requestId));
  return {
    record,
    isSettled: (chunk) => (((bits?.[chunk >> 3] ?? 0) >> (7 - (chunk & 7))) & 1) === 1,
    startOf: (chunk) => (starts && starts.length >= 4 * chunk + 4 ? starts.readUInt32BE(4 * chunk) : 0),
  };
}

/** Marks what it gives as given. */
function readyChunks(
  { record: { chunks }, isSettled, startOf }: Look,
  given: Set<number>,
  order: 'texts' | 'finished',
  from: number,
): number[] {
  const ready: number[] = [];
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    if (given.has(chunk)) continue;
    if (!isSettled(chunk)) {
      if (order === 'texts') break;
      continue;
    }
    given.add(chunk);
    // From the first text on all are wanted, whatever has become of their places.
    if (from === 0 || startOf(chunk + 1) > from) ready.push(chunk);
  }
  return ready;
}

async function fetchBlocks(
  { redis, keys }: ReadPorts,
  { record, startOf }: Look,
  chunks: readonly number[],
): Promise<VectorBlock[]> {
  const { requestId, state } = record;
  const stored = await redis.mgetBuffer(...chunks.map((chunk) => keys.result(encodeJobId(requestId, chunk))));
  return chunks.map((chunk, index) => {
    const texts = startOf(chunk + 1) - startOf(chunk);
    if (texts < 1 || texts > MAX_CHUNK_TEXTS) {
      throw new FarmError(
        'internal',
        `chunk ${chunk} of request ${requestId} has ${texts} texts by its record`,
      );
    }
    const bytes = stored[index];
    if (!bytes) {
      if (state === 'cancelled') return failedBlock(texts, 'cancelled', 'the request was cancelled');
      throw expired(`chunk ${chunk} of request ${requestId} is not stored any more`);
    }
    const block = decodeVectorBlock(bytes);
    if (block.tokens.length === texts) return block;
    throw new FarmError(
      'internal',
      `chunk ${chunk} of request ${requestId} holds ${block.tokens.length} texts, not ${texts}`,
    );
  });
}

function within<Value>(step: Promise<Value>, { signal }: CallOptions): Promise<Value> {
  return withDeadline(step, { signal, timeoutMs: IDLE_TIMEOUT_MS }, noAnswer);
}

function tellProgress({ onProgress }: CallOptions, record: RequestRecord): void {
  onProgress?.({ done: record.textsDone + record.textsFailed, total: record.texts });
}

function expired(message: string): FarmError {
  return new FarmError('result_expired', message);
}
