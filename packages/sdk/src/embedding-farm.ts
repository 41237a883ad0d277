import {
  copyTexts,
  FarmError,
  parseRequestId,
  readGiven,
  type EncodeText,
  type VectorDtype,
} from '@embedfarm/contract';
import type { FarmStatus } from '@embedfarm/farm/inspect';
import { MemoryProducer, type MemoryOptions } from '@embedfarm/farm/memory';
import {
  Producer,
  TextsFailed,
  type FarmLimits,
  type NewFarmLimits,
  type ProducerOptions,
  type ProducerPort,
  type TextSource,
} from '@embedfarm/farm/producer';
import {
  parseConnectOptions,
  parseEncodeOptions,
  parseRequestsOptions,
  parseStreamOptions,
  parseSubmitOptions,
  type EncodeCallOptions,
  type RequestsOptions,
  type StreamCallOptions,
  type SubmitCallOptions,
} from './call-options.ts';
import { Embeddings, type EmbeddingsOf } from './embeddings.ts';
import type { EncodedRow } from './encoded-row.ts';
import { readFarmStatus } from './read-farm-status.ts';
import { RequestHandle, SubmittedRequest, toStatus, type RequestStatus } from './request-handle.ts';
import { streamRows } from './stream-rows.ts';
import { TextsFailedError } from './texts-failed-error.ts';

/** A web app's connection to the farm. One is enough for a process; it counts as one client. */
export class EmbeddingFarm {
  readonly #producer: ProducerPort;
  readonly #readStatus: () => Promise<FarmStatus>;

  private constructor(producer: ProducerPort, readStatus: () => Promise<FarmStatus>) {
    this.#producer = producer;
    this.#readStatus = readStatus;
  }

  /**
   * Default Redis: `redis://127.0.0.1:6379`.
   *
   * @throws FarmError `redis_unavailable` when Redis does not answer within `timeoutMs` (default
   * 10,000); `invalid_argument` naming a broken option; `cancelled` on abort.
   */
  static async connect(
    options: ProducerOptions = {},
    call: { signal?: AbortSignal } = {},
  ): Promise<EmbeddingFarm> {
    const { signal, ...resolved } = parseConnectOptions(options, call);
    const { redis, prefix } = resolved;
    const producer = await Producer.open(resolved, signal ? { signal } : {});
    return new EmbeddingFarm(producer, () => readFarmStatus({ redis, prefix }));
  }

  /**
   * A farm without Redis, workers and model, for the tests of what uses one. The same calls with the same checks and
   * errors; a word is a token, and a vector is made of its text's hash: the same for the same text and options, and it
   * means nothing. Requests and results are gone with it, and no webhook is posted.
   *
   * @throws FarmError `invalid_argument` naming a broken option.
   */
  static inMemory(options: MemoryOptions): EmbeddingFarm {
    const producer = new MemoryProducer(options);
    return new EmbeddingFarm(producer, () => producer.status());
  }

  /** Names this SDK instance in the farm. */
  get clientId(): string {
    return this.#producer.clientId;
  }

  /**
   * The vectors of the texts, one row a text, in their order and in the dtype asked for. Calls of one tick with equal options
   * share a job; more than 256 texts travel as several.
   *
   * @throws TextsFailedError (`texts_failed`) with the good rows when some texts failed; FarmError
   * `invalid_argument` naming the text or option, `model_not_found`, `no_worker`,
   * `deadline_exceeded`, `cancelled`, `redis_unavailable`, `overloaded` with `retryAfterMs`.
   */
  async encode<Dtype extends VectorDtype = 'float32'>(
    texts: readonly EncodeText[],
    options: EncodeCallOptions<Dtype> = {},
  ): Promise<EmbeddingsOf<Dtype>> {
    const { request, wait } = parseEncodeOptions(options);
    const parsed = copyTexts(texts, request);
    try {
      // Workers give the dtype that they are asked for.
      return Embeddings.from(await this.#producer.encode(parsed, request, wait)) as EmbeddingsOf<Dtype>;
    } catch (thrown) {
      throw thrown instanceof TextsFailed ? new TextsFailedError(thrown) : FarmError.from(thrown);
    }
  }

  /**
   * The vectors of any number of texts, row by row, with back-pressure on both sides: at most `window` chunks of up to
   * 256 texts are on their way or wait to be taken, and the source is not read ahead of them. Bulk, unless `lane` says
   * otherwise. Nothing is read or sent before the first row is asked for.
   *
   * A text that cannot be encoded, or is none, gets a row with its error, and the stream goes on. What the source throws
   * comes after the rows that are done, in their turn. Leaving the loop cancels what is under way. `onProgress` tells the
   * texts read so far as the total.
   *
   * With an `id` the stream can be taken up again, by another process too: the same texts from the beginning, and the
   * rows that were taken as `position`. Chunks that are stored or under way are not encoded again; each is known by
   * its texts, model and options, so what has changed is encoded anew. Their results stay for 24 hours, or until the
   * consumer is a whole chunk past them. A chunk is then sent only when it is full, and leaving the loop cancels nothing.
   *
   * @throws FarmError at once: `invalid_argument` for an option, or for texts that are no iterable. From the loop:
   * `deadline_exceeded` or `no_worker` (60 s without progress while the consumer waits for a chunk, or `timeoutMs` in
   * all), `model_not_found`, `model_changed`, `overloaded`, `cancelled`, `redis_unavailable`.
   */
  encodeStream<Dtype extends VectorDtype = 'float32'>(
    texts: TextSource,
    options: StreamCallOptions<Dtype> = {},
  ): AsyncIterableIterator<EncodedRow<Dtype>> {
    const { request, stream, wait } = parseStreamOptions(options);
    return streamRows<Dtype>(this.#producer.stream(texts, request, stream, wait));
  }

  /**
   * Fire and forget. Of a list it resolves when all of it is in Redis. Of an iterable it resolves at once, and the
   * request is `filling` until the iterable ends; `filled` tells when, or why not. The result is kept for 24 hours
   * after the end.
   *
   * A text of an iterable that cannot be encoded fails alone. If this process dies before the end, or the iterable
   * throws, the request ends `incomplete` with what was in the farm.
   *
   * @throws FarmError as `encode`; a list that was enqueued only in part is cancelled.
   */
  async submit<Dtype extends VectorDtype = 'float32'>(
    texts: readonly EncodeText[] | TextSource,
    options: SubmitCallOptions<Dtype> = {},
  ): Promise<SubmittedRequest<Dtype>> {
    const { request, submit, wait } = parseSubmitOptions(options);
    const source = isIterable(texts) ? texts : copyTexts(texts, request);
    const { requestId, filled } = await this.#producer.requests.submit(source, request, submit, wait);
    return new SubmittedRequest(this.#producer.requests, requestId, filled);
  }

  /** A submitted request by its id, also one of another process. Asks Redis nothing yet. */
  request(id: string): RequestHandle {
    return new RequestHandle(this.#producer.requests, parseRequestId(id));
  }

  /** Submitted requests of all processes, the newest first. */
  async requests(options: RequestsOptions = {}): Promise<RequestStatus[]> {
    const records = await this.#producer.requests.list(parseRequestsOptions(options));
    return records.map(toStatus);
  }

  /**
   * While several tenants have bulk work waiting, one of weight 2 gets twice what one of weight 1 gets, which is what a
   * tenant has unless told. Counts for what is enqueued after it, in all processes.
   *
   * @param weight from 0.01 to 100; 1 takes it back.
   * @throws FarmError `invalid_argument` naming what is wrong, or beyond 10,000 tenants; `redis_unavailable`.
   */
  async setWeight(tenant: string, weight: number): Promise<void> {
    await this.#producer.weights.set(tenant, weight);
  }

  /** Weights that are not 1, by tenant. */
  async weights(): Promise<Record<string, number>> {
    return await this.#producer.weights.list();
  }

  /** The tenant has weight 1 again. */
  async removeWeight(tenant: string): Promise<void> {
    await this.#producer.weights.remove(tenant);
  }

  /** Models, workers, devices, backlog and clients at this moment. */
  async status(): Promise<FarmStatus> {
    return await this.#readStatus();
  }

  /** What the farm may hold: texts, bytes, and the share of Redis' memory at which it takes no more. */
  async limits(): Promise<FarmLimits> {
    return await this.#producer.limits.read();
  }

  /**
   * Sets limits of the whole farm, for all its clients and for good; those left out stay.
   *
   * @throws FarmError `invalid_argument` naming a broken limit.
   */
  async setLimits(limits: NewFarmLimits): Promise<void> {
    await this.#producer.limits.set(limits);
  }

  /** Open calls reject with `cancelled`; submitted requests go on. Safe to call twice. */
  async close(): Promise<void> {
    await this.#producer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** An iterable that is no list: it is read as it goes. A string is neither. */
function isIterable(texts: unknown): texts is TextSource {
  return readGiven('texts', () => {
    if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) return false;
    return Symbol.asyncIterator in texts || Symbol.iterator in texts;
  });
}
