import { FarmError, joinBlocks, sliceBlock, type EncodeText, type VectorBlock } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import { concludeCall, type EncodedTexts } from './encoded-texts.ts';
import type { WhenOverloaded } from './overloaded.ts';
import type { SettledChunk } from './pending-chunks.ts';

/** A call without a deadline of its own gives up after this long without progress. */
export const IDLE_TIMEOUT_MS = 60_000;
/** Chunks of a call without a deadline of its own are not encoded after this. */
export const MAX_PATIENCE_MS = 600_000;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the whole call; without it, IDLE_TIMEOUT_MS without progress. */
  readonly timeoutMs?: number | undefined;
  /** Told after each chunk, with the texts settled so far. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  /** Where the farm holds as much as it may: `reject` at once (the default), or `wait` to the deadline. */
  readonly whenOverloaded?: WhenOverloaded | undefined;
  /** The trace that the call belongs to: see CallSpan. */
  readonly trace?: string | undefined;
}

/** A total deadline, less what was spent since `startedAt`. */
export function withoutSpent(options: CallOptions, startedAt: number): CallOptions {
  if (options.timeoutMs === undefined) return options;
  return { ...options, timeoutMs: Math.max(1, options.timeoutMs - (performance.now() - startedAt)) };
}

/**
 * One call that waits: collects its texts' vectors from whatever chunks they travel in, and ends
 * once, by the last chunk, an abort or its deadline.
 */
export class EncodeCall {
  readonly promise: Promise<EncodedTexts>;
  readonly model: string;
  readonly texts: readonly EncodeText[];
  readonly #options: CallOptions;
  readonly #deadlineFault: (refusal: FarmError | undefined) => Promise<FarmError>;
  readonly #startedAt = performance.now();
  readonly #parts = new Map<number, VectorBlock>();
  readonly #statuses: SettledChunk['status'][] = [];
  readonly #onDetach: (() => void)[] = [];
  #resolve!: (encoded: EncodedTexts) => void;
  #reject!: (error: FarmError) => void;
  #timer: NodeJS.Timeout | undefined;
  #refusal: () => FarmError | undefined = () => undefined;
  #done = 0;
  #ended = false;

  /** `deadlineFault` says why nothing came: no worker, no Redis, no room (the refusal it is given), or too much work. */
  constructor(
    model: string,
    texts: readonly EncodeText[],
    options: CallOptions,
    deadlineFault: (refusal: FarmError | undefined) => Promise<FarmError>,
  ) {
    this.model = model;
    this.texts = texts;
    this.#options = options;
    this.#deadlineFault = deadlineFault;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { signal } = options;
    if (signal?.aborted === true) {
      this.fail(aborted(signal));
      return;
    }
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#armDeadline();
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** How long its chunks are worth encoding, from now, in ms. */
  get patienceMs(): number {
    return this.#options.timeoutMs ?? MAX_PATIENCE_MS;
  }

  get whenOverloaded(): WhenOverloaded {
    return this.#options.whenOverloaded ?? 'reject';
  }

  get trace(): string | undefined {
    return this.#options.trace;
  }

  /** `refusal` tells at the deadline whether the call has come to nothing for lack of room. */
  explainDeadline(refusal: () => FarmError | undefined): void {
    this.#refusal = refusal;
  }

  /** Settles when the call has ended, either way. */
  get ended(): Promise<unknown> {
    return this.promise.catch(() => undefined);
  }

  /** Called once if the call ends before its last chunk: its texts need not be encoded any more. */
  onDetach(listener: () => void): void {
    this.#onDetach.push(listener);
  }

  /** Texts `from` up to `to` of a chunk are the call's texts from `at` on. */
  put(at: number, { status, block }: SettledChunk, from: number, to: number): void {
    if (this.#ended) return;
    this.#parts.set(at, sliceBlock(block, from, to));
    this.#statuses.push(status);
    this.#done += to - from;
    this.#tellProgress();
    if (this.#ended) return;
    if (this.#done === this.texts.length) this.#conclude();
    else if (this.#options.timeoutMs === undefined) this.#armDeadline();
  }

  fail(error: FarmError): void {
    if (this.#ended) return;
    this.#end();
    this.#reject(error);
    for (const detach of this.#onDetach) detach();
  }

  #conclude(): void {
    this.#end();
    try {
      const places = [...this.#parts.keys()].toSorted((a, b) => a - b);
      const block = joinBlocks(places.flatMap((at) => this.#parts.get(at) ?? []));
      const timing = { ...block.timing, totalMs: performance.now() - this.#startedAt };
      this.#resolve(concludeCall({ model: this.model, block, timing }, this.#statuses));
    } catch (thrown) {
      this.#reject(FarmError.from(thrown));
    }
  }

  /** A listener that throws ends its own call, and no other that shares the chunk. */
  #tellProgress(): void {
    try {
      this.#options.onProgress?.({ done: this.#done, total: this.texts.length });
    } catch (thrown) {
      this.fail(FarmError.from(thrown));
    }
  }

  #armDeadline(): void {
    clearTimeout(this.#timer);
    const timeoutMs = this.#options.timeoutMs ?? IDLE_TIMEOUT_MS;
    this.#timer = setTimeout(() => void this.#expire(), timeoutMs);
  }

  async #expire(): Promise<void> {
    this.fail(await this.#deadlineFault(this.#refusal()));
  }

  readonly #abort = (): void => {
    const { signal } = this.#options;
    if (signal) this.fail(aborted(signal));
  };

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#abort);
  }
}

function aborted(signal: AbortSignal): FarmError {
  return new FarmError('cancelled', 'the call was aborted', { cause: signal.reason });
}
