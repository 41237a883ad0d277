import {
  FarmError,
  parseRequestId,
  parseTexts,
  type EncodeRequest,
  type EncodeText,
  type VectorDtype,
} from '@embedfarm/contract';
import type { FarmStatus } from '@embedfarm/farm/inspect';
import {
  Producer,
  TextsFailed,
  type FarmLimits,
  type NewFarmLimits,
  type ProducerOptions,
  type TextSource,
} from '@embedfarm/farm/producer';
import {
  parseEncodeOptions,
  parseRequestsOptions,
  parseSubmitOptions,
  type EncodeCallOptions,
  type RequestsOptions,
  type SubmitCallOptions,
} from './call-options.ts';
import { Embeddings, type EmbeddingsOf } from './embeddings.ts';
import { readFarmStatus } from './read-farm-status.ts';
import { RequestHandle, SubmittedRequest, toStatus, type RequestStatus } from './request-handle.ts';
import { TextsFailedError } from './texts-failed-error.ts';

/** A web app's connection to the farm. One is enough for a process; it counts as one client. */
export class EmbeddingFarm {
  readonly #producer: Producer;
  readonly #options: ProducerOptions;

  private constructor(producer: Producer, options: ProducerOptions) {
    this.#producer = producer;
    this.#options = options;
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
    return new EmbeddingFarm(await Producer.open(options, call), options);
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
    const { redis, prefix } = this.#options;
    return await readFarmStatus({ redis, prefix });
  }

  /** What the farm may hold: texts, bytes, and the share of Redis' memory at which it takes no more. */
  async limits(): Promise<FarmLimits> {
    return await this.#producer.limits();
  }

  /**
   * Sets limits of the whole farm, for all its clients and for good; those left out stay.
   *
   * @throws FarmError `invalid_argument` naming a broken limit.
   */
  async setLimits(limits: NewFarmLimits): Promise<void> {
    await this.#producer.setLimits(limits);
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
  if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) return false;
  return Symbol.asyncIterator in texts || Symbol.iterator in texts;
}

/** The list is the caller's, who may fill it and its lists anew while the call is under way. */
function copyTexts(texts: unknown, { tokens = false }: EncodeRequest): EncodeText[] {
  return parseTexts(copyLists(texts, TEXT_DEPTH), { tokens });
}

/** The list of texts, pairs, lists of tokens. */
const TEXT_DEPTH = 3;

function copyLists(value: unknown, depth: number): unknown {
  if (depth === 0 || !Array.isArray(value)) return value;
  return Array.from(value, (part) => copyLists(part, depth - 1));
}
