import {
  FarmError,
  parseOptions,
  type EncodeRequest,
  type EncodeText,
  type ModelRegistration,
  type VectorBlock,
} from '@embedfarm/contract';
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hasEnded } from '../request/request-record.ts';
import type { FarmStatus } from '../inspect/inspector.ts';
import { sharedTerms, type SharedTerms } from '../producer/coalesce.ts';
import { EncodeCall, type CallOptions } from '../producer/encode-call.ts';
import { EncodeStream } from '../producer/encode-stream.ts';
import type { EncodedTexts } from '../producer/encoded-texts.ts';
import { OpenGuard } from '../producer/open-guard.ts';
import type { EncodedChunk, ProducerPort, StreamOptions, TextSource } from '../producer/producer-port.ts';
import { splitTexts, type TextRange } from '../producer/split-texts.ts';
import type { StreamCarrier } from '../producer/stream-carrier.ts';
import { withRefused } from '../worker/with-refused.ts';
import type { GatheredChunk } from '../request/gather-chunks.ts';
import { MemoryEncoder } from './memory-encoder.ts';
import { memoryOptionsSchema, memoryRegistration, type MemoryOptions } from './memory-options.ts';
import { MemoryLimits } from './memory-limits.ts';
import { MemoryRequests } from './memory-requests.ts';
import { MemoryWeights } from './memory-weights.ts';

export type { MemoryOptions } from './memory-options.ts';
export { MemoryEncoder } from './memory-encoder.ts';

/**
 * A farm inside the process, for tests of what uses one: no Redis, no worker, no model. Texts and options are checked
 * as by a farm, and chunks are cut as by one; vectors are hashes. No cache is asked, and no webhook posted. Nothing waits
 * for a clock, and nothing keeps the process alive.
 */
export class MemoryProducer implements ProducerPort {
  readonly clientId = randomBytes(9).toString('hex');
  readonly registration: ModelRegistration;
  readonly requests: MemoryRequests;
  readonly #encoder: MemoryEncoder;
  readonly #guard = new OpenGuard();
  readonly weights = new MemoryWeights(this.#guard);
  readonly limits = new MemoryLimits(this.#guard);
  readonly #calls = new Set<{ fail(error: FarmError): void }>();
  readonly #startedAtMs = Date.now();
  #requestCount = 0;

  /** @throws FarmError `invalid_argument` naming a broken option. */
  constructor(options: MemoryOptions) {
    this.registration = memoryRegistration(parseOptions('in-memory options', memoryOptionsSchema, options));
    this.#encoder = new MemoryEncoder(this.registration);
    this.requests = new MemoryRequests({
      clientId: this.clientId,
      guard: this.#guard,
      nextRequestId: () => {
        this.#requestCount += 1;
        return `0-${this.clientId}-${this.#requestCount.toString(36)}`;
      },
      termsOf: (request, texts) => this.#termsOf(request, texts),
      encode: (chunk, terms) => this.#encode(chunk, terms),
    });
  }

  async encode(
    texts: readonly EncodeText[],
    request: EncodeRequest,
    options: CallOptions,
  ): Promise<EncodedTexts> {
    this.#guard.check();
    const terms = this.#termsOf(request, texts.length);
    const ranges = splitTexts(texts, terms.maxTexts);
    const call = new EncodeCall(this.registration.model, texts, options, lateFault);
    this.#calls.add(call);
    void this.#run(call, ranges, terms);
    try {
      return await call.promise;
    } finally {
      this.#calls.delete(call);
    }
  }

  stream(
    texts: TextSource,
    request: EncodeRequest,
    options: StreamOptions,
    call: CallOptions,
  ): AsyncIterableIterator<EncodedChunk> {
    const open = async (): Promise<StreamCarrier> => {
      this.#guard.check();
      const terms = this.#termsOf({ ...request, lane: request.lane ?? 'bulk' }, 0);
      return {
        model: this.registration.model,
        maxTexts: terms.maxTexts,
        isResumable: options.id !== undefined,
        carry: async (chunk) => {
          await nextTurn();
          return { status: 'done', block: await this.#encode(chunk, terms) };
        },
        passed: () => undefined,
        end: () => undefined,
        deadlineFault: lateFault,
      };
    };
    return new EncodeStream({ texts, request, options, call }, open, this.#calls).chunks();
  }

  /** One worker with one device, and one client: itself. */
  async status(): Promise<FarmStatus> {
    const [device] = this.#encoder.deviceReports();
    const backlog = { interactive: 0, bulk: 0 };
    const requests = await this.requests.list({ limit: Infinity });
    const worker = {
      workerId: 'memory',
      host: os.hostname(),
      pid: process.pid,
      model: this.registration.model,
      fingerprint: this.registration.fingerprint,
      state: 'running' as const,
      devices: device ? [device] : [],
      ...this.#encoder.throughput(),
      waitingTexts: 0,
      residentBytes: process.memoryUsage.rss(),
      startedAtMs: this.#startedAtMs,
      lastSeenMs: 0,
    };
    return {
      models: [{ ...this.registration, workers: 1, backlog }],
      workers: [worker],
      devices: device ? [{ workerId: worker.workerId, ...device }] : [],
      backlog,
      clients: 1,
      cache: { lookups: 0, hits: 0 },
      openRequests: requests.filter((request) => !hasEnded(request)).length,
      webhooksDue: 0,
      admission: {
        texts: 0,
        bytes: 0,
        maxTexts: (await this.limits.read()).texts,
        maxBytes: os.totalmem(),
        memory: { usedBytes: 0, maxBytes: os.totalmem(), stopBytes: os.totalmem() },
      },
    };
  }

  async close(): Promise<void> {
    this.#guard.close();
    for (const call of this.#calls) call.fail(new FarmError('cancelled', 'the farm connection was closed'));
  }

  /** One chunk a turn of the loop. */
  async #run(call: EncodeCall, ranges: readonly TextRange[], terms: SharedTerms): Promise<void> {
    for (const { from, to } of ranges) {
      await nextTurn();
      if (call.hasEnded) return;
      const texts = call.texts.slice(from, to);
      call.put(
        from,
        { status: 'done', block: await this.#encode({ texts, refused: [] }, terms) },
        0,
        to - from,
      );
    }
  }

  async #encode(
    { texts, refused }: Pick<GatheredChunk, 'texts' | 'refused'>,
    { options }: SharedTerms,
  ): Promise<VectorBlock> {
    return withRefused(await this.#encoder.encode(texts, options), refused);
  }

  #termsOf(request: EncodeRequest, texts: number): SharedTerms {
    const { model } = this.registration;
    if (request.model === undefined || request.model === model)
      return sharedTerms(request, this.registration, texts);
    throw new FarmError(
      'model_not_found',
      `no worker ever registered the model "${request.model}"; registered are: ${model}`,
    );
  }
}

async function lateFault(): Promise<FarmError> {
  return new FarmError('deadline_exceeded', 'not done in time');
}
