import {
  decodeVectorBlock,
  encodeJobId,
  FarmError,
  MAX_REQUEST_CHUNKS,
  type VectorBlock,
} from '@embedfarm/contract';
import type { EncodeQueue } from '../queue/encode-queue.ts';
import { hashOf, streamRequestId } from '../redis/stream-job-id.ts';
import { chunkLoad } from '../queue/chunk-load.ts';
import { ChunkRoom } from './chunk-room.ts';
import type { SharedTerms } from './coalesce.ts';
import { enqueueFault, makeJob, send, type EnqueuePorts } from './enqueue.ts';
import type { PendingChunk, SettledChunk } from './pending-chunks.ts';
import { refusalOf, type CarryTerms, type StreamCarrier } from './stream-carrier.ts';
import { sweepPending } from './sweep.ts';
import type { TextChunk } from './text-chunks.ts';

/** A result that no stream comes back for is gone after this. */
const STREAM_RESULT_TTL_MS = 24 * 3_600_000;
/** The last results of a stream that was taken whole, in case its consumer dies before it has noted that. */
const LAST_RESULTS_TTL_MS = 600_000;
/** Between two looks at chunks that a dead client enqueued: their replies go to its stream. */
const LOOK_MS = 200;

/**
 * Carries chunks as jobs whose ids are made of what they hold. What is stored is not sent again; what another process
 * has sent is waited for; what nobody waits for any more runs to its end and is stored.
 */
export class ResumableCarrier implements StreamCarrier {
  readonly model: string;
  readonly maxTexts: number;
  readonly isResumable = true;
  readonly #terms: SharedTerms;
  readonly #ports: EnqueuePorts;
  readonly #queue: EncodeQueue;
  readonly #call: CarryTerms;
  readonly #rooms = new Set<ChunkRoom>();
  readonly #streamHash: string;
  readonly #outstanding = new Set<PendingChunk>();
  /** Chunks whose job was there before. */
  readonly #others = new Set<PendingChunk>();
  /** Stored, or to be, by chunk. */
  readonly #jobIds = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #hasEnded = false;

  constructor(id: string, terms: SharedTerms, ports: EnqueuePorts, call: CarryTerms) {
    const { registration, lane, options, tenant = null, maxTexts } = terms;
    const { model, fingerprint } = registration;
    // Sorted, so that it does not hang on the order that options are parsed in.
    const wishes = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.model = model;
    this.maxTexts = maxTexts;
    this.#call = call;
    this.#terms = terms;
    this.#ports = ports;
    this.#queue = ports.queue(model, lane);
    this.#streamHash = hashOf([id, model, fingerprint, wishes, tenant]);
  }

  async carry(chunk: TextChunk): Promise<SettledChunk> {
    const { index, texts, refused } = chunk;
    const round = Math.floor(index / MAX_REQUEST_CHUNKS);
    const chunkIndex = index % MAX_REQUEST_CHUNKS;
    const requestId = streamRequestId(this.#streamHash, [texts, refused, round]);
    const jobId = encodeJobId(requestId, chunkIndex);
    this.#jobIds.set(index, jobId);
    const { block, hasJob } = await this.#find(jobId, chunk).catch((thrown: unknown) => {
      throw enqueueFault(thrown);
    });
    if (block) return { status: 'done', block };
    const job = {
      ...makeJob(this.#terms, this.#ports, {
        requestId,
        chunkIndex,
        texts,
        refused,
        patienceMs: 0,
        trace: this.#call.trace,
      }),
      // Who comes back for it may come late.
      deadlineMs: 0,
      resultTtlMs: STREAM_RESULT_TTL_MS,
    };
    const { registration, options } = this.#terms;
    const room = new ChunkRoom(this.#ports.lease, chunkLoad(texts, registration, options));
    return await new Promise((resolve, reject) => {
      const admit = (): void => {
        if (this.#ports.pending.get(jobId)) return reject(isOpenTwice());
        const pending = this.#ports.pending.add(
          job,
          this.#queue,
          (settled) => {
            this.#outstanding.delete(pending);
            this.#rooms.delete(room);
            room.leave();
            resolve(settled);
          },
          reject,
        );
        this.#outstanding.add(pending);
        // One that ends in this moment would be added a second time, and encoded again.
        if (hasJob) this.#watch(pending);
        else send([pending], this.#ports);
      };
      // Nobody waits: what was to be sent is not.
      if (this.#hasEnded) return;
      this.#rooms.add(room);
      room.take(() => this.#call.whenOverloaded, { admit, refuse: reject });
    });
  }

  /** A chunk's result goes when the consumer is through with the one after it too: it may note its position late. */
  passed(index: number): void {
    const keys: string[] = [];
    for (const [chunk, jobId] of this.#jobIds) {
      if (chunk >= index - 1) break;
      this.#jobIds.delete(chunk);
      keys.push(this.#ports.keys.result(jobId));
    }
    // What is not taken away now has a time to live.
    if (keys.length > 0) this.#ports.redis.unlink(...keys).catch(() => undefined);
  }

  deadlineFault(): Promise<FarmError> {
    return this.#call.deadlineFault(refusalOf(this.#rooms));
  }

  end(isDone: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const room of this.#rooms) room.leave();
    this.#rooms.clear();
    clearInterval(this.#timer);
    for (const { jobId } of this.#outstanding) this.#ports.pending.drop(jobId);
    if (!isDone || this.#jobIds.size === 0) return;
    const last = this.#ports.redis.pipeline();
    for (const jobId of this.#jobIds.values())
      last.pexpire(this.#ports.keys.result(jobId), LAST_RESULTS_TTL_MS);
    last.exec().catch(() => undefined);
  }

  /**
   * The stored result, and whether there is a job for it. The job is looked at first: a worker stores before the job
   * ends. A failure that may pass is not held against a chunk that is asked for again.
   */
  async #find(jobId: string, chunk: TextChunk): Promise<{ block?: VectorBlock; hasJob: boolean }> {
    const { redis, keys } = this.#ports;
    const key = keys.result(jobId);
    const { job, failed } = this.#queue.jobKeys(jobId);
    const found = await redis.pipeline().exists(job).zscore(failed, jobId).getBuffer(key).exec();
    const [hasJob, failedAt, bytes] = (found ?? []).map(([fault, answer]) => {
      if (fault) throw FarmError.from(fault);
      return answer;
    });
    const hasFailed = failedAt !== null && failedAt !== undefined;
    const block = bytes instanceof Uint8Array ? tryDecode(bytes, chunk.texts.length) : undefined;
    const isRunning = hasJob === 1 && !hasFailed;
    if (block && (isRunning || isLasting(block, chunk))) return { block, hasJob: isRunning };
    if (bytes !== null) await redis.unlink(key);
    if (hasFailed) await this.#queue.forget(jobId);
    return { hasJob: isRunning };
  }

  #watch(chunk: PendingChunk): void {
    this.#others.add(chunk);
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    const { redis, keys, pending } = this.#ports;
    for (const chunk of this.#others) if (pending.get(chunk.jobId) !== chunk) this.#others.delete(chunk);
    if (this.#others.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#isLooking = true;
    try {
      await sweepPending(redis, keys, pending, () => this.#ports.nowMs(), [...this.#others]);
    } catch {
      // A lost connection: the next look comes.
    } finally {
      this.#isLooking = false;
    }
  }
}

function isOpenTwice(): FarmError {
  return new FarmError(
    'invalid_argument',
    'a stream with this id and these texts is open in this process already',
  );
}

/** What was put under the key by hand counts as not there. */
function tryDecode(bytes: Uint8Array, texts: number): VectorBlock | undefined {
  try {
    const block = decodeVectorBlock(bytes);
    return block.tokens.length === texts ? block : undefined;
  } catch {
    return undefined;
  }
}

/** Whether its failures are the texts' own, and would be the same the next time. */
function isLasting({ failures }: VectorBlock, { refused }: TextChunk): boolean {
  const refusals = new Set(refused.map(({ text }) => text));
  return failures.every(
    ({ code, texts }) => code === 'sequence_too_long' || texts.every((text) => refusals.has(text)),
  );
}
