import {
  encodeJobId,
  FarmError,
  parseEncodeJob,
  parseJobId,
  type EncodeJob,
  type EncodeRequest,
  type EncodeText,
  type Lane,
  type RedisKeys,
} from '@embedfarm/contract';
import { setTimeout as rest } from 'node:timers/promises';
import type { SubmitTerms } from '../producer/filling.ts';
import type { TextRange } from '../producer/split-texts.ts';
import { KEEP_FAILED, type EncodeQueue } from '../queue/encode-queue.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { nothingFailed, nothingKept, stillRuns } from './conclude-request.ts';
import { hasEnded, readRequest, toRecord, type RequestRecord } from './request-record.ts';

/** A list is in this process' memory as a whole; texts of a thousand chunks of 256 short texts are about 50 MB. */
const MAX_RETRY_BYTES = 256 * 1024 * 1024;
/** Jobs read with one round trip. */
const PAGE_JOBS = 16;

/** Looks for jobs of the request that still run: for 2 s, then what has failed by then counts. */
const LOOK_MS = 20;
const MAX_LOOKS = 100;

/** What a retry submits. */
export interface RetryPlan {
  readonly texts: readonly EncodeText[];
  /** Where they stood in the request that failed, in their order. */
  readonly ranges: readonly TextRange[];
  readonly request: EncodeRequest;
  readonly submit: SubmitTerms;
  readonly fingerprint: string;
}

/** A request that was submitted in the place of another one's failed chunks. */
export interface RetriedRequest {
  readonly requestId: string;
  /** Text n of it is the n-th of these texts of the request that failed. */
  readonly ranges: readonly TextRange[];
}

/** What looking for failed chunks needs of its producer. */
export interface RetryPorts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  readonly nowMs: () => number;
  readonly queue: (model: string, lane: Lane) => EncodeQueue;
}

/**
 * Whether a request may have failed chunks whose texts are still there, as far as its record says: texts of it have
 * failed, and jobs of then are kept.
 */
export function mayRetry(record: RequestRecord, nowMs: number): boolean {
  const { endedAtMs, expiresAtMs = Infinity, textsFailed, retriedAs } = record;
  if (endedAtMs === undefined || textsFailed === 0 || retriedAs !== undefined) return false;
  return nowMs < Math.min(endedAtMs + KEEP_FAILED.age * 1_000, expiresAtMs);
}

/**
 * Reads the failed chunks of a request that has ended, from the jobs that BullMQ keeps of them for a day. Texts that
 * failed in a chunk that ended well are not kept, and would fail again.
 *
 * @throws FarmError `invalid_argument` while it runs, where nothing has failed, or where it was retried before;
 *   `result_expired` when there is no such request (any more), or no failed chunk is kept.
 */
export async function planRetry(ports: RetryPorts, requestId: string): Promise<RetryPlan> {
  const { redis, keys } = ports;
  const record = await readRequest(redis, keys, requestId, ports.nowMs());
  if (!hasEnded(record)) throw stillRuns(record);
  if (record.textsFailed === 0) throw nothingFailed(requestId);
  await checkNotRetried(ports, record);
  const jobs = await readFailedJobs(ports, record);
  const [first] = jobs;
  if (!first) throw nothingKept(requestId);
  const starts = await readStarts(ports, record, jobs);
  const places = jobs.flatMap((job, index) => placesOf(job, starts[index] ?? 0));
  const { label, resultTtlMs, fingerprint } = record;
  return {
    texts: places.map(({ text }) => text),
    ranges: rangesOf(places.map(({ at }) => at)),
    request: {
      model: record.model,
      lane: record.lane,
      // It takes the turns of whoever submitted it, not those of who asks for it again.
      tenant: record.tenant ?? record.clientId,
      ...first.options,
      cache: first.cacheTtlMs === undefined ? undefined : { ttlMs: first.cacheTtlMs },
    },
    submit: { label, resultTtlMs },
    fingerprint,
  };
}

/** KEYS request; ARGV id of the new one. A record that has gone meanwhile is not made again. */
const noteScript = new RedisScript(`#!lua flags=allow-oom
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'retriedAs', ARGV[1]) end
return 1`);

/** Says that the failed chunks of a request were submitted again, so that nobody does it twice. */
export async function noteRetry(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
  retriedAs: string,
): Promise<void> {
  await noteScript.run(redis, [keys.request(requestId)], [retriedAs]);
}

/** One that was taken back, or is gone, leaves the failed chunks to be retried. */
async function checkNotRetried({ redis, keys, nowMs }: RetryPorts, record: RequestRecord): Promise<void> {
  const { requestId, retriedAs } = record;
  if (retriedAs === undefined) return;
  const retried = toRecord(retriedAs, await redis.hgetall(keys.request(retriedAs)), nowMs());
  if (!retried || retried.state === 'cancelled') return;
  throw new FarmError('invalid_argument', `request ${requestId} was retried before, as ${retriedAs}`);
}

/** In the order of their texts. What was put in a job's place by hand and is none is left out. */
async function readFailedJobs({ redis, queue }: RetryPorts, record: RequestRecord): Promise<EncodeJob[]> {
  const { requestId, model, lane, chunks } = record;
  const jobKeys = queue(model, lane);
  await awaitActive(redis, jobKeys.jobKeys('').active, requestId);
  // About KEEP_FAILED.count of all requests: fewer than a request may have chunks.
  const failed = await redis.zrevrange(jobKeys.jobKeys('').failed, 0, -1);
  const indexes = failed
    .map((jobId) => parseJobId(jobId))
    .flatMap((named) => (named?.requestId === requestId ? [named.chunkIndex] : []))
    .filter((chunk) => chunk < chunks)
    .toSorted((left, right) => left - right);
  const keys = indexes.map((chunk) => jobKeys.jobKeys(encodeJobId(requestId, chunk)).job);
  await checkSize(redis, requestId, keys);
  const jobs: EncodeJob[] = [];
  for (let from = 0; from < keys.length; from += PAGE_JOBS) {
    const lookup = redis.pipeline();
    for (const key of keys.slice(from, from + PAGE_JOBS)) lookup.hget(key, 'data');
    const answers = (await lookup.exec()) ?? [];
    for (const [at, [, data]] of answers.entries()) {
      const job = toJob(data);
      if (job?.requestId === requestId && job.chunkIndex === indexes[from + at]) jobs.push(job);
    }
  }
  return jobs;
}

/** A chunk is settled a moment before its job ends: one that still runs is about to be among the failed ones, or gone. */
async function awaitActive(redis: FarmRedis, active: string, requestId: string): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const running = await redis.lrange(active, 0, -1);
    if (!running.some((jobId) => parseJobId(jobId)?.requestId === requestId)) return;
    await rest(LOOK_MS);
  }
}

async function checkSize(redis: FarmRedis, requestId: string, keys: readonly string[]): Promise<void> {
  const lookup = redis.pipeline();
  for (const key of keys) lookup.hstrlen(key, 'data');
  const answers = (await lookup.exec()) ?? [];
  const bytes = answers.reduce((sum, [, answer]) => sum + (Number(answer) || 0), 0);
  if (bytes <= MAX_RETRY_BYTES) return;
  throw new FarmError(
    'invalid_argument',
    `the failed chunks of request ${requestId} have ${bytes} bytes, a retry takes ${MAX_RETRY_BYTES} at most`,
  );
}

function toJob(data: unknown): EncodeJob | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    return parseEncodeJob(JSON.parse(data));
  } catch {
    return undefined;
  }
}

/** Index of the first text of each chunk. */
async function readStarts(
  { redis, keys }: RetryPorts,
  { requestId }: RequestRecord,
  jobs: readonly EncodeJob[],
): Promise<number[]> {
  const starts = await redis.getBuffer(keys.requestStarts(requestId));
  return jobs.map(({ chunkIndex }) => {
    if (starts && starts.length >= 4 * chunkIndex + 4) return starts.readUInt32BE(4 * chunkIndex);
    throw new FarmError('result_expired', `where chunk ${chunkIndex} of request ${requestId} began is gone`);
  });
}

/** The texts of a chunk and their indexes, without those that its producer refused: empty ones stand for them. */
function placesOf({ texts, refused = [] }: EncodeJob, start: number): { text: EncodeText; at: number }[] {
  const left = new Set(refused.map(({ text }) => text));
  return texts.flatMap((text, index) => (left.has(index) ? [] : [{ text, at: start + index }]));
}

/** Rising indexes as runs. */
function rangesOf(indexes: readonly number[]): TextRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const index of indexes) {
    const last = ranges.at(-1);
    if (last?.to === index) last.to = index + 1;
    else ranges.push({ from: index, to: index + 1 });
  }
  return ranges;
}
