import { FarmError, type EncodeRequest, type EncodeText, type VectorBlock } from '@embedfarm/contract';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import type { SharedTerms } from '../producer/coalesce.ts';
import { EitherSignal } from '../producer/either-signal.ts';
import { IDLE_TIMEOUT_MS, type CallOptions } from '../producer/encode-call.ts';
import type { EncodedTexts } from '../producer/encoded-texts.ts';
import type { OpenGuard } from '../producer/open-guard.ts';
import type { RequestsPort, TextSource } from '../producer/producer-port.ts';
import { splitTexts } from '../producer/split-texts.ts';
import type { Filling, SubmitTerms } from '../producer/filling.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import {
  checkNotCancelled,
  concludeRequest,
  joinRequest,
  nothingFailed,
  nothingKept,
  stillRuns,
  takenBack,
  tooLate,
} from '../request/conclude-request.ts';
import { EXPIRED_RECORD_TTL_MS } from '../request/end-request.ts';
import { gatherSlices, isList, sliceList, type GatheredChunk } from '../request/gather-chunks.ts';
import type { RequestFilter } from '../request/list-requests.ts';
import type { EncodedChunk, ReadOptions } from '../request/request-chunks.ts';
import { hasEnded, type RequestRecord } from '../request/request-record.ts';
import { MemoryRequest } from './memory-request.ts';

/** What submitted requests need of the producer in memory. */
export interface MemoryRequestPorts {
  readonly clientId: string;
  readonly guard: OpenGuard;
  nextRequestId(): string;
  termsOf(request: EncodeRequest, texts: number): SharedTerms;
  encode(chunk: Pick<GatheredChunk, 'texts' | 'refused'>, terms: SharedTerms): Promise<VectorBlock>;
}

/** As SubmittedRequests, for the requests of one farm in memory: they are gone with it. */
export class MemoryRequests implements RequestsPort {
  readonly #ports: MemoryRequestPorts;
  /** By id, the newest last. */
  readonly #requests = new Map<string, MemoryRequest>();

  constructor(ports: MemoryRequestPorts) {
    this.#ports = ports;
  }

  async submit(
    source: readonly EncodeText[] | TextSource,
    request: EncodeRequest,
    submit: SubmitTerms,
    options: CallOptions,
  ): Promise<Filling> {
    const { guard, clientId } = this.#ports;
    guard.check();
    const terms = this.#ports.termsOf(request, isList(source) ? source.length : Infinity);
    checkSignal(options.signal);
    const filled = new MemoryRequest(this.#ports.nextRequestId(), clientId, terms, submit);
    this.#requests.set(filled.requestId, filled);
    const { tokens = false } = terms.options;
    const ends = new EitherSignal([guard.closed, options.signal]);
    const { maxTexts } = terms;
    const { timeoutMs } = options;
    const slices = isList(source)
      ? sliceList(source, splitTexts(source, maxTexts))
      : gatherSlices(source, { maxTexts, tokens, signal: ends.signal, timeoutMs });
    const filling = guard.whileOpen(this.#fill(filled, slices, options)).finally(() => ends.release());
    filling.catch(() => undefined);
    if (isList(source)) await filling;
    return { requestId: filled.requestId, filled: filling };
  }

  async read(requestId: string): Promise<RequestRecord> {
    this.#ports.guard.check();
    return this.#find(requestId).record();
  }

  async list({ label, state, limit = 100 }: RequestFilter): Promise<RequestRecord[]> {
    this.#ports.guard.check();
    for (const request of this.#requests.values()) this.#forget(request);
    return [...this.#requests.values()]
      .toReversed()
      .map((request) => request.record())
      .filter((record) => label === undefined || record.label === label)
      .filter((record) => state === undefined || record.state === state)
      .slice(0, limit);
  }

  async cancel(requestId: string): Promise<RequestRecord> {
    this.#ports.guard.check();
    const request = this.#find(requestId);
    request.cancel();
    return request.record();
  }

  /** Chunks of a farm in memory never fail as a whole: there is nothing to submit again. */
  async retry(requestId: string): Promise<never> {
    const record = await this.read(requestId);
    if (!hasEnded(record)) throw stillRuns(record);
    throw record.textsFailed === 0 ? nothingFailed(requestId) : nothingKept(requestId);
  }

  async wait(requestId: string, options: CallOptions): Promise<RequestRecord> {
    this.#ports.guard.check();
    return await this.#ports.guard.whileOpen(this.#awaitEnd(this.#find(requestId), options));
  }

  async *chunks(
    requestId: string,
    { from = 0, consume = false }: ReadOptions,
    options: CallOptions,
  ): AsyncGenerator<EncodedChunk> {
    const { guard } = this.#ports;
    const request = this.#find(requestId);
    const given = new Set<number>();
    for (;;) {
      guard.check();
      checkSignal(options.signal);
      const record = request.record();
      if (record.state === 'expired') {
        if (given.size > 0 && given.size === record.chunks) return;
        throw new FarmError('result_expired', `the results of request ${requestId} are gone`);
      }
      const chunk = request.read(given, from);
      if (chunk === 'consumed') {
        throw new FarmError('result_expired', `a chunk of request ${requestId} is not stored any more`);
      }
      if (chunk) {
        yield { model: record.model, from: chunk.from, block: chunk.block };
        if (consume) request.consume(chunk.index);
        options.onProgress?.({ done: record.textsDone + record.textsFailed, total: record.texts });
      } else if (hasEnded(record)) return;
      else await guard.whileOpen(this.#change(request, options));
    }
  }

  async result(
    requestId: string,
    { consume }: Pick<ReadOptions, 'consume'>,
    options: CallOptions,
  ): Promise<EncodedTexts> {
    const startedAt = performance.now();
    const record = await this.wait(requestId, options);
    checkNotCancelled(record);
    const blocks: VectorBlock[] = [];
    const { signal } = options;
    for await (const { block } of this.chunks(requestId, {}, { signal })) blocks.push(block);
    const block = joinRequest(blocks);
    if (consume === true) this.#find(requestId).consumeAll();
    return concludeRequest(record, block, startedAt);
  }

  async discard(requestId: string): Promise<void> {
    const record = await this.read(requestId);
    if (hasEnded(record)) return this.#find(requestId).consumeAll();
    throw stillRuns(record);
  }

  async #fill(
    request: MemoryRequest,
    slices: Iterable<GatheredChunk[]> | AsyncIterable<GatheredChunk[]>,
    options: CallOptions,
  ): Promise<void> {
    void this.#work(request);
    try {
      for await (const slice of slices) {
        if (request.record().state === 'cancelled') throw takenBack(request.requestId);
        request.add(slice);
        const { texts } = request.record();
        options.onProgress?.({ done: texts, total: texts });
      }
      if (request.record().state === 'cancelled') throw takenBack(request.requestId);
      request.seal();
    } catch (thrown) {
      const fault = FarmError.from(thrown);
      if (fault.code === 'cancelled') request.cancel();
      else request.seal(fault.message);
      throw fault;
    }
  }

  /** Encodes chunks until the request has ended, one a turn of the loop. */
  async #work(request: MemoryRequest): Promise<void> {
    const { guard } = this.#ports;
    while (!hasEnded(request.record()) && !guard.closed.aborted) {
      await nextTurn();
      const chunk = request.take();
      if (chunk) request.put(await this.#ports.encode(chunk, request.terms));
      else await request.changed();
    }
  }

  async #awaitEnd(request: MemoryRequest, options: CallOptions): Promise<RequestRecord> {
    for (;;) {
      checkSignal(options.signal);
      const record = request.record();
      options.onProgress?.({ done: record.textsDone + record.textsFailed, total: record.texts });
      if (hasEnded(record)) return record;
      await this.#change(request, options);
    }
  }

  async #change(request: MemoryRequest, { signal, timeoutMs = IDLE_TIMEOUT_MS }: CallOptions): Promise<void> {
    const either = new EitherSignal([this.#ports.guard.closed, signal]);
    try {
      await withDeadline(request.changed(), { signal: either.signal, timeoutMs }, () =>
        tooLate(request.record()),
      );
    } finally {
      either.release();
    }
  }

  #find(requestId: string): MemoryRequest {
    const request = this.#requests.get(requestId);
    if (request) this.#forget(request);
    if (request && this.#requests.has(requestId)) return request;
    throw new FarmError('result_expired', `there is no request ${requestId}, or none any more`);
  }

  /** Drops a request whose time is over. */
  #forget(request: MemoryRequest): void {
    const { requestId, expiresAtMs = Infinity } = request.record();
    if (Date.now() >= expiresAtMs + EXPIRED_RECORD_TTL_MS) this.#requests.delete(requestId);
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new FarmError('cancelled', 'the call was aborted', { cause: signal.reason });
}
