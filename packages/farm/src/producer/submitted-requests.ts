import { FarmError, type EncodeRequest, type EncodeText, type ModelRegistration } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { withDeadline } from '../redis/with-deadline.ts';
import { awaitRequest, awaitResult } from '../request/await-request.ts';
import { buryRequest, removeChunks } from '../request/cancel-request.ts';
import { stillRuns } from '../request/conclude-request.ts';
import { consumeAll } from '../request/consume-chunks.ts';
import { abandonRequest, PRODUCER_DIED } from '../request/fill-request.ts';
import { isList, type TextSource } from '../request/gather-chunks.ts';
import { listRequests, type RequestFilter } from '../request/list-requests.ts';
import { claimRetry, releaseRetry } from '../request/retry-claim.ts';
import { noteRetry, planRetry, type RetriedRequest } from '../request/retry-request.ts';
import { requestChunks, type EncodedChunk, type ReadOptions } from '../request/request-chunks.ts';
import { hasEnded, readRequest, type RequestRecord } from '../request/request-record.ts';
import { sharedTerms } from './coalesce.ts';
import { IDLE_TIMEOUT_MS, withoutSpent, type CallOptions } from './encode-call.ts';
import type { EncodedTexts } from './encoded-texts.ts';
import type { EnqueuePorts } from './enqueue.ts';
import type { OpenGuard } from './open-guard.ts';
import type { Filling, OwnFilling, SubmitTerms } from './filling.ts';
import { submitTexts } from './submit.ts';
import { traceIteration } from './trace-iteration.ts';
import { beginReading, traceReading } from './trace-reading.ts';
import { traceSubmit } from './trace-submit.ts';

/** Longest a look at a request's record may take. */
const READ_TIMEOUT_MS = 5_000;
/** Longest the end of what is being filled may hold up the close. */
const CLOSE_MS = 10_000;

/** What submitted requests need of their producer. */
export interface RequestPorts extends EnqueuePorts {
  readonly guard: OpenGuard;
  resolve(request: EncodeRequest, options: CallOptions): Promise<ModelRegistration>;
  redisFault(): FarmError;
}

/** A producer's side of submitted requests, its own and those of others. */
export class SubmittedRequests {
  readonly #ports: RequestPorts;
  /** Those that are being filled, by id. */
  readonly #fillings = new Map<string, OwnFilling>();

  constructor(ports: RequestPorts) {
    this.#ports = ports;
  }

  /** See submitTexts. A list is in Redis when it resolves, of an iterable the record. */
  async submit(
    source: readonly EncodeText[] | TextSource,
    request: EncodeRequest,
    submit: SubmitTerms,
    options: CallOptions,
  ): Promise<Filling> {
    const { guard, telemetry } = this.#ports;
    guard.check();
    return await traceSubmit(telemetry, options, (call) => this.#submit(source, request, submit, call));
  }

  async #submit(
    ...[source, request, submit, options]: Parameters<SubmittedRequests['submit']>
  ): Promise<Filling> {
    const { guard } = this.#ports;
    const startedAt = performance.now();
    const registration = await this.#ports.resolve(request, options);
    const terms = sharedTerms(request, registration, isList(source) ? source.length : Infinity);
    const call = { ...withoutSpent(options, startedAt), closed: guard.closed };
    const filling = await guard.whileOpen(submitTexts(source, terms, submit, this.#ports, call));
    const { requestId } = filling;
    const filled = guard.whileOpen(filling.filled).finally(() => this.#fillings.delete(requestId));
    this.#fillings.set(requestId, { ...filling, filled });
    // Of an iterable the caller may look at it later, or never.
    filled.catch(() => undefined);
    if (isList(source)) await filled;
    return { requestId, filled };
  }

  /** @throws FarmError `result_expired` when there is no such request (any more); `redis_unavailable`. */
  async read(requestId: string): Promise<RequestRecord> {
    const record = await this.#ask(() => this.#record(requestId));
    if (record.state !== 'filling') return record;
    // No worker may be there to see that its producer is gone.
    const { redis, keys } = this.#ports;
    const abandoned = await this.#ask(() =>
      abandonRequest(redis, keys, record, { fault: PRODUCER_DIED, onlyOfTheDead: true }),
    );
    return abandoned ? await this.#ask(() => this.#record(requestId)) : record;
  }

  /** The newest first. */
  async list(filter: RequestFilter): Promise<RequestRecord[]> {
    const { redis, keys } = this.#ports;
    return await this.#ask(() => listRequests(redis, keys, filter, this.#ports.nowMs()));
  }

  /**
   * Takes a request back: what waits is taken away, what runs is aborted, what is done is kept. One that has ended
   * stays as it is.
   *
   * @returns its record after; `endedAtMs` is missing while a device still has some of it.
   */
  async cancel(requestId: string): Promise<RequestRecord> {
    const { redis, keys } = this.#ports;
    const state = await this.#ask(() => buryRequest(redis, keys, requestId));
    // Its source may be silent, and never see that nobody wants its texts.
    if (state === 'cancelled') this.#fillings.get(requestId)?.stop();
    const record = await this.#ask(() => this.#record(requestId));
    if (state !== 'cancelled' || record.endedAtMs !== undefined) return record;
    const queue = this.#ports.queue(record.model, record.lane);
    await this.#ask(() => removeChunks(redis, keys, queue, record), IDLE_TIMEOUT_MS);
    return await this.#ask(() => this.#record(requestId));
  }

  /**
   * Submits the failed chunks of a request that has ended as a new one: with its options, label, lane and tenant, under
   * the same rules as any other. Its webhook stays with it.
   *
   * @throws FarmError as claimRetry, planRetry and submit; `model_changed` where the model is another one by now, whose vectors
   *   would not go with those that are done.
   */
  async retry(requestId: string, options: CallOptions): Promise<RetriedRequest> {
    const { redis, keys } = this.#ports;
    await this.#ask(() => claimRetry(redis, keys, requestId));
    try {
      return await this.#retry(requestId, options);
    } finally {
      await this.#ask(() => releaseRetry(redis, keys, requestId)).catch(() => undefined);
    }
  }

  async #retry(requestId: string, options: CallOptions): Promise<RetriedRequest> {
    const { redis, keys } = this.#ports;
    const plan = await this.#ask(() => planRetry(this.#ports, requestId), IDLE_TIMEOUT_MS);
    const { model, fingerprint } = await this.#ports.resolve(plan.request, options);
    if (fingerprint !== plan.fingerprint) {
      throw new FarmError(
        'model_changed',
        `request ${requestId} was made for ${model} with fingerprint ${plan.fingerprint}, the farm has ${fingerprint}`,
      );
    }
    const retried = await this.submit(plan.texts, plan.request, plan.submit, options);
    // It runs, whether its forerunner says so or not.
    await this.#ask(() => noteRetry(redis, keys, requestId, retried.requestId)).catch(() => undefined);
    return { requestId: retried.requestId, ranges: plan.ranges };
  }

  /** Waits for a request's end, whichever it is. */
  async wait(requestId: string, options: CallOptions): Promise<RequestRecord> {
    const { guard } = this.#ports;
    guard.check();
    return await traceReading(this.#ports, 'wait', requestId, options, () =>
      guard.whileOpen(awaitRequest(this.#ports, requestId, options)),
    );
  }

  /** A request's vectors by chunks, as they get done. */
  chunks(
    requestId: string,
    reading: ReadOptions,
    options: CallOptions,
  ): AsyncIterableIterator<EncodedChunk, void, undefined> {
    const chunks = this.#chunks(requestId, reading, options);
    const { telemetry } = this.#ports;
    if (!telemetry) return chunks;
    return traceIteration(() => beginReading(telemetry, this.#ports, 'rows', requestId, options), chunks);
  }

  async *#chunks(
    ...[requestId, reading, options]: Parameters<SubmittedRequests['chunks']>
  ): AsyncGenerator<EncodedChunk, void, undefined> {
    const { guard } = this.#ports;
    guard.check();
    try {
      yield* requestChunks(this.#ports, requestId, reading, options);
    } catch (thrown) {
      guard.check();
      throw FarmError.from(thrown);
    }
  }

  /** Waits for a request's end, then reads all its vectors, in order. */
  async result(
    requestId: string,
    reading: Pick<ReadOptions, 'consume'>,
    options: CallOptions,
  ): Promise<EncodedTexts> {
    const { guard } = this.#ports;
    guard.check();
    return await traceReading(this.#ports, 'result', requestId, options, () =>
      guard.whileOpen(awaitResult(this.#ports, requestId, reading, options)),
    );
  }

  /** Deletes the results of a request that has ended, read or not. */
  async discard(requestId: string): Promise<void> {
    const { redis, keys } = this.#ports;
    const record = await this.#ask(() => this.#record(requestId));
    if (!hasEnded(record)) throw stillRuns(record);
    await this.#ask(() => consumeAll(redis, keys, record), IDLE_TIMEOUT_MS);
  }

  /** Requests that are being filled end as they are; with a Redis that does not answer, workers see to it later. */
  async close(): Promise<void> {
    const ends = Promise.allSettled(Array.from(this.#fillings.values(), ({ filled }) => filled));
    await withDeadline(ends, { timeoutMs: CLOSE_MS }, () => this.#ports.redisFault()).catch(() => undefined);
  }

  #record(requestId: string): Promise<RequestRecord> {
    const { redis, keys } = this.#ports;
    return readRequest(redis, keys, requestId, this.#ports.nowMs());
  }

  /** One question to Redis, with a deadline. */
  async #ask<Value>(step: () => Promise<Value>, timeoutMs: number = READ_TIMEOUT_MS): Promise<Value> {
    const { guard } = this.#ports;
    guard.check();
    return await guard.whileOpen(withDeadline(step(), { timeoutMs }, () => this.#ports.redisFault()));
  }
}
