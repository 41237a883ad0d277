import { hasEnded, type Producer, type RequestRecord, type RequestState } from '@embedfarm/farm/producer';
import { parseWaitOptions, type WaitOptions } from './call-options.ts';
import { Embeddings, type AnyEmbeddings } from './embeddings.ts';

/** A submitted request at one moment. Times are Redis time in ms since 1970. */
export interface RequestStatus {
  readonly id: string;
  readonly state: RequestState;
  readonly model: string;
  readonly label: string | undefined;
  readonly texts: number;
  /** Texts with a vector. */
  readonly done: number;
  readonly failed: number;
  /** What is left at the pace so far, in ms; undefined before the first chunk is done. */
  readonly etaMs: number | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
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
export class RequestHandle {
  readonly id: string;
  readonly #producer: Producer;

  constructor(producer: Producer, id: string) {
    this.#producer = producer;
    this.id = id;
  }

  /** @throws FarmError `result_expired` when there is no such request (any more). */
  async status(): Promise<RequestStatus> {
    const record = await this.#producer.readRequest(this.id);
    const { state, model, label, texts, createdAtMs, startedAtMs, endedAtMs, updatedAtMs } = record;
    const settled = record.textsDone + record.textsFailed;
    const workedMs = startedAtMs === undefined ? 0 : updatedAtMs - startedAtMs;
    const left = hasEnded(state) ? 0 : texts - settled;
    return {
      id: this.id,
      state,
      model,
      label,
      texts,
      done: record.textsDone,
      failed: record.textsFailed,
      etaMs: left === 0 ? 0 : settled === 0 ? undefined : Math.round((workedMs / settled) * left),
      createdAtMs,
      startedAtMs,
      endedAtMs,
      webhook: webhookStatus(record),
    };
  }

  /**
   * Waits for the end, then reads all vectors, in the order of the texts and in the dtype that the request was
   * submitted with (the result's `dtype` says which). A text that failed is in
   * `failures`, and `at` of it throws.
   *
   * @throws FarmError `cancelled`, `deadline_exceeded` (60 s without progress, or `timeoutMs`),
   * `result_expired`, or the texts' error when no text has a vector.
   */
  async result(options: WaitOptions = {}): Promise<AnyEmbeddings> {
    const encoded = await this.#producer.awaitResult(this.id, parseWaitOptions(options));
    return Embeddings.from(encoded);
  }
}

function webhookStatus({
  webhookState: state,
  webhookAttempts: attempts = 0,
  webhookError: error,
}: RequestRecord): WebhookStatus | undefined {
  return state === undefined ? undefined : { state, attempts, error: error === '' ? undefined : error };
}
