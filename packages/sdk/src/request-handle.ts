import type { VectorDtype } from '@embedfarm/contract';
import {
  requestEtaMs,
  type CallOptions,
  type ReadOptions,
  type RequestRecord,
  type RequestState,
  type RequestsPort,
  type RetriedRequest,
} from '@embedfarm/farm/producer';
import {
  parseResultOptions,
  parseRowsOptions,
  parseWaitOptions,
  type ResultOptions,
  type RowsOptions,
  type WaitOptions,
} from './call-options.ts';
import { Embeddings, type AnyEmbeddings } from './embeddings.ts';
import { rowsOf, toEncodedChunk, type EncodedChunk, type EncodedRow } from './encoded-row.ts';

/** A submitted request at one moment. Times are Redis time in ms since 1970. */
export interface RequestStatus {
  readonly id: string;
  readonly state: RequestState;
  readonly model: string;
  readonly label: string | undefined;
  /** Who shares the bulk lane in its name; undefined where its client does. */
  readonly tenant: string | undefined;
  /** Why its producer could not fill it to the end. */
  readonly fault: string | undefined;
  /** Of an iterable: those that are in the farm so far. */
  readonly texts: number;
  /** Texts with a vector. */
  readonly done: number;
  readonly failed: number;
  /** Tokens of the texts that are done, special ones included. */
  readonly tokens: number;
  /** Texts that lost their end or start. */
  readonly truncated: number;
  /** What is left at the pace so far, in ms; undefined before the first chunk is done. */
  readonly etaMs: number | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  /** The results are gone after this. */
  readonly expiresAtMs: number | undefined;
  /** What became of its webhook; undefined where it has none, and before its end. */
  readonly webhook: WebhookStatus | undefined;
}

/** `given_up`: its attempts are spent, or the receiver answered 410 Gone. */
export interface WebhookStatus {
  readonly state: 'pending' | 'delivered' | 'given_up';
  readonly attempts: number;
  /** Why the last attempt did not deliver: `timeout`, `http_500`, `host_not_allowed`, … */
  readonly error: string | undefined;
}

/** A submitted request, from any process that knows its id. */
export class RequestHandle<Dtype extends VectorDtype = VectorDtype> implements AsyncIterable<
  EncodedRow<Dtype>
> {
  readonly id: string;
  readonly #requests: RequestsPort;

  constructor(requests: RequestsPort, id: string) {
    this.#requests = requests;
    this.id = id;
  }

  /** @throws FarmError `result_expired` when there is no such request (any more). */
  async status(): Promise<RequestStatus> {
    return toStatus(await this.#requests.read(this.id));
  }

  /**
   * Waits for the end, whichever it is.
   *
   * @throws FarmError `deadline_exceeded` (60 s without progress, or `timeoutMs`), `cancelled` on abort,
   * `result_expired`.
   */
  async wait(options: WaitOptions = {}): Promise<RequestStatus> {
    return toStatus(await this.#requests.wait(this.id, parseWaitOptions(options)));
  }

  /**
   * Waits for the end, then reads all vectors, in the order of the texts and in the dtype that the request was
   * submitted with (the result's `dtype` says which). A text that failed is in
   * `failures`, and `at` of it throws. With `consume` the results are deleted then.
   *
   * @throws FarmError `cancelled`, `deadline_exceeded` (60 s without progress, or `timeoutMs`),
   * `result_expired`, or the texts' error when no text has a vector.
   */
  async result(options: ResultOptions = {}): Promise<AnyEmbeddings> {
    const { consume, wait } = parseResultOptions(options);
    return Embeddings.from(await this.#requests.result(this.id, { consume }, wait));
  }

  /**
   * One row a text, while the request runs, to its end. Of a cancelled request the texts that were not done have the
   * error `cancelled`.
   *
   * @throws FarmError as `wait`; `result_expired` at a result that is gone.
   */
  async *rows(options: RowsOptions = {}): AsyncGenerator<EncodedRow<Dtype>, void, undefined> {
    const { reading, wait } = parseRowsOptions(options);
    for await (const chunk of this.#chunks(reading, wait)) {
      for (const row of rowsOf<Dtype>(chunk)) if (row.index >= (reading.from ?? 0)) yield row;
    }
  }

  /**
   * The same in the chunks that the texts travelled in, up to 256 each: for those who write many. The first one may
   * begin before `from`.
   *
   * @throws FarmError as `rows`.
   */
  async *chunks(options: RowsOptions = {}): AsyncGenerator<EncodedChunk<Dtype>, void, undefined> {
    const { reading, wait } = parseRowsOptions(options);
    yield* this.#chunks(reading, wait);
  }

  async *#chunks(
    reading: ReadOptions,
    wait: CallOptions,
  ): AsyncGenerator<EncodedChunk<Dtype>, void, undefined> {
    for await (const chunk of this.#requests.chunks(this.id, reading, wait)) {
      yield toEncodedChunk<Dtype>(chunk, chunk.model);
    }
  }

  /** All rows, in the order of the texts. */
  [Symbol.asyncIterator](): AsyncGenerator<EncodedRow<Dtype>, void, undefined> {
    return this.rows();
  }

  /**
   * Takes the request back: what waits is removed, what runs is aborted, what is done is kept. One that has ended
   * stays as it is. Safe to call again.
   *
   * @throws FarmError `result_expired` when there is no such request (any more).
   */
  async cancel(): Promise<RequestStatus> {
    return toStatus(await this.#requests.cancel(this.id));
  }

  /**
   * Submits its chunks that failed as a whole once more, as a request of their own with the same model, options, label,
   * lane and tenant; a webhook is not posted for it. For a day after they failed, and once; texts that failed alone, in
   * a chunk that was encoded, are not kept.
   *
   * @returns the new request's id, and which texts of this one are in it.
   * @throws FarmError `invalid_argument` while it runs, where nothing failed, or once it was retried; `result_expired`
   *   when it, or what failed of it, is gone; `model_changed`; and as `submit`.
   */
  async retry(options: WaitOptions = {}): Promise<RetriedRequest> {
    return await this.#requests.retry(this.id, parseWaitOptions(options));
  }

  /**
   * Deletes the results of a request that has ended, before their time.
   *
   * @throws FarmError `invalid_argument` while it runs; `result_expired` when there is no such request (any more).
   */
  async discard(): Promise<void> {
    await this.#requests.discard(this.id);
  }
}

/** A request that this process fills from an iterable. */
export class SubmittedRequest<Dtype extends VectorDtype = VectorDtype> extends RequestHandle<Dtype> {
  /**
   * Resolves when all of it is in the farm: at once for a list. Rejects with what stopped it: the source's own fault
   * (`invalid_argument`, with its cause), `cancelled`, `overloaded`, `redis_unavailable`.
   */
  readonly filled: Promise<void>;

  constructor(requests: RequestsPort, id: string, filled: Promise<void>) {
    super(requests, id);
    this.filled = filled;
  }
}

export function toStatus(record: RequestRecord): RequestStatus {
  return {
    id: record.requestId,
    state: record.state,
    model: record.model,
    label: record.label,
    tenant: record.tenant,
    fault: record.fault,
    texts: record.texts,
    done: record.textsDone,
    failed: record.textsFailed,
    tokens: record.tokens,
    truncated: record.textsTruncated,
    etaMs: requestEtaMs(record),
    createdAtMs: record.createdAtMs,
    startedAtMs: record.startedAtMs,
    endedAtMs: record.endedAtMs,
    expiresAtMs: record.expiresAtMs,
    webhook: webhookStatus(record),
  };
}

function webhookStatus({
  webhookState: state,
  webhookAttempts: attempts = 0,
  webhookError: error,
}: RequestRecord): WebhookStatus | undefined {
  return state === undefined ? undefined : { state, attempts, error: error === '' ? undefined : error };
}
