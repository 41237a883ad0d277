import {
  encodeJobSchema,
  failedBlock,
  MAX_CHUNK_TEXTS,
  parseJobId,
  type EncodeJob,
  type FarmError,
  type RedisKeys,
} from '@embedfarm/contract';
import { textsOfName } from '../queue/encode-queue.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import type { FinishedChunk } from './finish-chunk.ts';
import { standInJob } from './stand-in-job.ts';

/** As for any awaited chunk: long enough for its client to find it. */
const RESULT_TTL_MS = 600_000;

export interface BrokenJob {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly data: unknown;
}

/**
 * Settles the chunk of a job whose data is no EncodeJob, as far as its id names one: a submitted request
 * counts the chunk's texts as failed, and an awaited call is told, by the client id in the data or the one
 * that its request id was made of. A job whose id names no chunk has nobody to be told.
 */
export async function settleBrokenJob(
  redis: FarmRedis,
  keys: RedisKeys,
  broken: BrokenJob,
  { code, detail }: FarmError,
  finish: (job: EncodeJob, chunk: FinishedChunk) => Promise<void>,
): Promise<void> {
  const named = parseJobId(broken.id ?? '');
  if (!named) return;
  const record = await readRecord(redis, keys, named);
  const clientId = clientOf(broken.data, named.requestId);
  const texts = textsOf(broken, record);
  const isAwaited = fieldOf(broken.data, 'awaited') === true;
  const chunk = standInJob({
    ...named,
    clientId: clientId ?? 'nobody',
    model: 'unknown',
    fingerprint: '',
    texts,
    tracked: record !== undefined,
    // Who reads a reply takes its result away, so one that was not asked for would cost a request its chunk.
    awaited: clientId !== undefined && (record === undefined || isAwaited),
    resultTtlMs: record?.resultTtlMs ?? RESULT_TTL_MS,
  });
  await finish(chunk, { status: 'failed', block: failedBlock(texts, code, detail) });
}

interface ChunkRecord {
  /** Where the chunk begins and ends, as it was planned. */
  readonly texts: number | undefined;
  readonly resultTtlMs: number;
}

/** What the record of a submitted request says of a chunk; a tombstone of an awaited call is none. */
async function readRecord(
  redis: FarmRedis,
  keys: RedisKeys,
  { requestId, chunkIndex }: Pick<EncodeJob, 'requestId' | 'chunkIndex'>,
): Promise<ChunkRecord | undefined> {
  const at = 4 * chunkIndex;
  const [[sealed, resultTtlMs], starts] = await Promise.all([
    redis.hmget(keys.request(requestId), 'sealed', 'resultTtlMs'),
    redis.getrangeBuffer(keys.requestStarts(requestId), at, at + 7),
  ]);
  if (typeof sealed !== 'string') return undefined;
  return {
    texts: starts.length === 8 ? starts.readUInt32BE(4) - starts.readUInt32BE(0) : undefined,
    resultTtlMs: Math.max(1, Number(resultTtlMs) || RESULT_TTL_MS),
  };
}

/** What was planned, or what the producer wrote beside the data; else what the data says. */
function textsOf({ name, data }: BrokenJob, record: ChunkRecord | undefined): number {
  const listed = fieldOf(data, 'texts');
  const texts = record?.texts ?? textsOfName(name ?? '') ?? (Array.isArray(listed) ? listed.length : 1);
  return Math.min(Math.max(1, texts), MAX_CHUNK_TEXTS);
}

/** A producer's request ids are `<shard>-<client>-<number>`. */
function clientOf(data: unknown, requestId: string): string | undefined {
  const [, maker] = /^\d+-([0-9a-f]{18})-[0-9a-z]+$/.exec(requestId) ?? [];
  const told = encodeJobSchema.shape.clientId.safeParse(fieldOf(data, 'clientId'));
  return maker ?? (told.success ? told.data : undefined);
}

function fieldOf(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null && Object.hasOwn(data, name)
    ? (data as Record<string, unknown>)[name]
    : undefined;
}
