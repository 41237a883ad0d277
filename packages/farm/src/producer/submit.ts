import { FarmError, type EncodeJob, type EncodeText } from '@embedfarm/contract';
import { sumLoads } from '../queue/chunk-load.ts';
import { buryRequest, removeChunks } from '../request/cancel-request.ts';
import { notHeardOf, takenBack } from '../request/conclude-request.ts';
import {
  abandonRequest,
  forgetRequest,
  openRequest,
  planChunks,
  sealRequest,
} from '../request/fill-request.ts';
import {
  gatherSlices,
  isList,
  sliceList,
  type GatheredChunk,
  type TextSource,
} from '../request/gather-chunks.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { checkWebhookHost } from '../webhook/served-hosts.ts';
import type { SharedTerms } from './coalesce.ts';
import { IDLE_TIMEOUT_MS } from './encode-call.ts';
import { enqueueFault, type EnqueuePorts } from './enqueue.ts';
import { EitherSignal } from './either-signal.ts';
import type { FillOptions, OwnFilling, SubmitTerms } from './filling.ts';
import type { WhenOverloaded } from './overloaded.ts';
import { reserve } from './reserve.ts';
import { splitTexts } from './split-texts.ts';
import { gatheredLoad, startsOf, submittedJobs } from './submitted-jobs.ts';

/** Results of a submitted request live this long after its end. */
export const SUBMITTED_RESULT_TTL_MS = 24 * 3_600_000;
/** An iterable without a deadline waits for room as long as it takes. */
const MAX_WAIT_MS = 2_147_483_647;
/** Longest the end of a filling that failed may take. */
const END_MS = 5_000;

/**
 * Fire and forget: makes the record, then fills it. A list is as long as it is; of an iterable the request grows as
 * it is read, no faster than Redis takes it.
 *
 * A list that fails half way is cancelled. What an iterable gave before it failed is encoded, and its request ends
 * `incomplete`; so does one whose producer closes.
 *
 * @throws FarmError `invalid_argument` for a webhook whose host no worker delivers to.
 */
export async function submitTexts(
  source: readonly EncodeText[] | TextSource,
  terms: SharedTerms,
  submit: SubmitTerms,
  ports: EnqueuePorts,
  options: FillOptions,
): Promise<OwnFilling> {
  const fill = new RequestFilling(terms, submit, ports, options);
  if (isList(source)) {
    const ranges = splitTexts(source, terms.maxTexts);
    await fill.open({ texts: source.length, chunks: ranges.length });
    const slices = [...sliceList(source, ranges)];
    return fill.begin(() => fill.fillOrCancel(slices));
  }
  await fill.open(undefined);
  return fill.begin(() => fill.fillOrAbandon(source));
}

class RequestFilling {
  readonly requestId: string;
  readonly #terms: SharedTerms;
  readonly #submit: SubmitTerms;
  readonly #ports: EnqueuePorts;
  readonly #options: FillOptions;
  readonly #deadlineAt: number | undefined;
  #ends!: EitherSignal;
  /** Enqueued so far. */
  #chunks = 0;
  /** With those that come next. */
  #planned = 0;
  #adding: Promise<void> | undefined;
  #texts = 0;
  #total: number | undefined;

  constructor(terms: SharedTerms, submit: SubmitTerms, ports: EnqueuePorts, options: FillOptions) {
    this.requestId = ports.nextRequestId();
    this.#terms = terms;
    this.#submit = submit;
    this.#ports = ports;
    this.#options = options;
    this.#deadlineAt = options.timeoutMs === undefined ? undefined : ports.nowMs() + options.timeoutMs;
  }

  async open(size: { texts: number; chunks: number } | undefined): Promise<void> {
    const { registration, lane, tenant, options } = this.#terms;
    const { redis, keys, clientId } = this.#ports;
    const { label, webhook } = this.#submit;
    this.#total = size?.texts;
    if (webhook !== undefined) await this.#within(checkWebhookHost(redis, keys, webhook));
    const opening = openRequest(redis, keys, {
      requestId: this.requestId,
      clientId,
      tenant,
      model: registration.model,
      fingerprint: registration.fingerprint,
      lane,
      label,
      webhook,
      options,
      size,
      resultTtlMs: this.#resultTtlMs,
      trace: this.#options.trace,
    });
    await this.#within(opening).catch(async (thrown: unknown) => {
      // It may be there all the same, or come later: nobody would fill it.
      await this.#forget();
      throw enqueueFault(thrown);
    });
  }

  /** Once its record is there. */
  begin(fill: () => Promise<void>): OwnFilling {
    const ends = new EitherSignal([this.#options.signal, this.#options.closed]);
    this.#ends = ends;
    return {
      requestId: this.requestId,
      filled: fill().finally(() => ends.release()),
      stop: () => ends.stop(undefined),
    };
  }

  /** A list has room as a whole, or none. */
  async fillOrCancel(slices: readonly GatheredChunk[][]): Promise<void> {
    try {
      await this.#reserve(slices.flat(), this.#options.whenOverloaded ?? 'reject');
    } catch (thrown) {
      await this.#forget();
      throw enqueueFault(thrown);
    }
    try {
      await this.#fill(this.#untilClosed(slices));
    } catch (thrown) {
      await this.#end(() => this.#cancel());
      throw enqueueFault(thrown);
    }
  }

  async fillOrAbandon(source: TextSource): Promise<void> {
    const { maxTexts, options } = this.#terms;
    const { tokens = false } = options;
    try {
      const { timeoutMs } = this.#options;
      const slices = gatherSlices(source, { maxTexts, tokens, signal: this.#ends.signal, timeoutMs });
      await this.#fill(this.#admitted(slices));
    } catch (thrown) {
      const fault = enqueueFault(thrown);
      const isTakenBack = fault.code === 'cancelled' && !this.#options.closed.aborted;
      await this.#end(() => (isTakenBack ? this.#cancel() : this.#abandon(fault.message)));
      throw fault;
    }
  }

  async #fill(slices: Iterable<GatheredChunk[]> | AsyncIterable<GatheredChunk[]>): Promise<void> {
    const { redis, keys } = this.#ports;
    const queue = this.#ports.queue(this.#terms.registration.model, this.#terms.lane);
    for await (const slice of slices) {
      const nextStarts = startsOf(slice, this.#texts);
      await this.#plan(nextStarts);
      // The source is silent; but the request may have been cancelled.
      if (slice.length === 0) continue;
      this.#adding = queue.enqueue(this.#jobsOf(slice), this.#ports.nowMs());
      await this.#within(this.#adding);
      this.#chunks += slice.length;
      this.#texts = nextStarts.at(-1) ?? this.#texts;
      await this.#plan([this.#texts]);
      this.#tellProgress();
    }
    const sealing = sealRequest(redis, keys, this.requestId, { chunks: this.#chunks, texts: this.#texts });
    this.#checkState(await this.#within(sealing));
  }

  /** Says what is enqueued, and what comes next. */
  async #plan(nextStarts: readonly number[]): Promise<void> {
    const { redis, keys } = this.#ports;
    const plan = { chunks: this.#chunks, texts: this.#texts, nextStarts };
    this.#planned = this.#chunks + nextStarts.length - 1;
    this.#checkState(await this.#within(planChunks(redis, keys, this.requestId, plan)));
  }

  /** Half a list is of no use to anybody: the rest is not sent for its own sake. */
  *#untilClosed(slices: readonly GatheredChunk[][]): Generator<GatheredChunk[]> {
    for (const slice of slices) {
      if (this.#options.closed.aborted) throw FarmError.from(this.#options.closed.reason);
      yield slice;
    }
  }

  /** As there is room: a slice that a small farm has no room for goes in halves. */
  async *#admitted(slices: AsyncIterable<GatheredChunk[]>): AsyncGenerator<GatheredChunk[]> {
    for await (const slice of slices) {
      const left = [slice];
      for (let part = left.shift(); part; part = left.shift()) {
        if (part.length === 0 || (await this.#hasRoomFor(part))) yield part;
        else left.unshift(part.slice(0, part.length >> 1), part.slice(part.length >> 1));
      }
    }
  }

  /** @returns false for chunks that even an empty farm is too small for together. */
  async #hasRoomFor(chunks: readonly GatheredChunk[]): Promise<boolean> {
    try {
      await this.#reserve(chunks, this.#options.whenOverloaded ?? 'wait');
      return true;
    } catch (thrown) {
      if (chunks.length > 1 && FarmError.from(thrown).code === 'invalid_argument') return false;
      throw thrown;
    }
  }

  /** Room in the farm, held by the request whatever becomes of its producer. Who closes does not wait for it. */
  async #reserve(chunks: readonly GatheredChunk[], whenOverloaded: WhenOverloaded): Promise<void> {
    const { redis, keys } = this.#ports;
    const { signal, closed } = this.#options;
    const timeoutMs = this.#deadlineAt === undefined ? MAX_WAIT_MS : this.#leftMs;
    const load = sumLoads(chunks.map((chunk) => gatheredLoad(chunk, this.#terms)));
    const how = closed.aborted
      ? { whenOverloaded: 'reject' as const, signal }
      : { whenOverloaded, signal: this.#ends.signal };
    await reserve(redis, keys, this.requestId, load, { ...how, timeoutMs });
  }

  #jobsOf(slice: readonly GatheredChunk[]): EncodeJob[] {
    return submittedJobs(slice, this.#chunks, {
      requestId: this.requestId,
      clientId: this.#ports.clientId,
      terms: this.#terms,
      resultTtlMs: this.#resultTtlMs,
      trace: this.#options.trace,
    });
  }

  /** Whoever ended the request wants no more of it: jobs that were added since are taken away. */
  #checkState(state: string | undefined): void {
    if (state === 'filling') return;
    throw state === 'cancelled' ? takenBack(this.requestId) : notHeardOf(this.requestId);
  }

  get #resultTtlMs(): number {
    return this.#submit.resultTtlMs ?? SUBMITTED_RESULT_TTL_MS;
  }

  async #cancel(): Promise<void> {
    const { redis, keys } = this.#ports;
    const { model } = this.#terms.registration;
    const { lane } = this.#terms;
    await buryRequest(redis, keys, this.requestId);
    // What nobody waits for any more may still be on its way.
    await this.#adding?.catch(() => undefined);
    const record = { requestId: this.requestId, model, lane, chunks: this.#planned };
    await removeChunks(redis, keys, this.#ports.queue(model, lane), record);
  }

  async #forget(): Promise<void> {
    await this.#end(() => forgetRequest(this.#ports.redis, this.#ports.keys, this.requestId));
  }

  async #abandon(fault: string): Promise<void> {
    const { redis, keys } = this.#ports;
    const { registration, lane } = this.#terms;
    const request = { requestId: this.requestId, model: registration.model, lane };
    await abandonRequest(redis, keys, request, { fault, onlyOfTheDead: false });
  }

  /** What does not come through now, the workers do once this client is not heard of any more. */
  async #end(step: () => Promise<void>): Promise<void> {
    await withDeadline(step(), { timeoutMs: END_MS }, noAnswer).catch(() => undefined);
  }

  async #within<Value>(step: Promise<Value>): Promise<Value> {
    const { signal } = this.#options;
    return await withDeadline(step, { signal, timeoutMs: this.#leftMs }, noAnswer);
  }

  get #leftMs(): number {
    return this.#deadlineAt === undefined
      ? IDLE_TIMEOUT_MS
      : Math.max(1, this.#deadlineAt - this.#ports.nowMs());
  }

  #tellProgress(): void {
    try {
      this.#options.onProgress?.({ done: this.#texts, total: this.#total ?? this.#texts });
    } catch (thrown) {
      throw FarmError.from(thrown);
    }
  }
}

function noAnswer(): FarmError {
  return new FarmError('redis_unavailable', 'Redis did not take the request in time');
}
