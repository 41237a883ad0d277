import {
  FarmError,
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
} from '@embedfarm/farm/producer';
import {
  parseEncodeOptions,
  parseSubmitOptions,
  type EncodeCallOptions,
  type SubmitCallOptions,
} from './call-options.ts';
import { Embeddings, type EmbeddingsOf } from './embeddings.ts';
import { readFarmStatus } from './read-farm-status.ts';
import { RequestHandle } from './request-handle.ts';
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
   * Fire and forget: resolves when all of it is in Redis. The result is kept for 24 hours after the end.
   *
   * @throws FarmError as `encode`; the request is cancelled if it was enqueued only in part.
   */
  async submit(texts: readonly EncodeText[], options: SubmitCallOptions = {}): Promise<RequestHandle> {
    const { request, label, wait } = parseSubmitOptions(options);
    const parsed = copyTexts(texts, request);
    return this.request(await this.#producer.submit(parsed, request, label, wait));
  }

  /** A submitted request by its id, also one of another process. Asks Redis nothing yet. */
  request(id: string): RequestHandle {
    return new RequestHandle(this.#producer, id);
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
