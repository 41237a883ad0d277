import {
  checkOptions,
  encodeOptionsSchema,
  FarmError,
  parseOptions,
  type DeviceReport,
  type EncodeOptions,
  type EncodeText,
  type FloatBlock,
  type Lane,
  type VectorBlock,
} from '@embedfarm/contract';
import type { BatchEnd } from './batch/batch-end.ts';
import type { BatchedCall } from './batch/batched-call.ts';
import { Batcher, type BatchCounters } from './batch/batcher.ts';
import { EncodeCall } from './batch/encode-call.ts';
import { windowTextsFor } from './batch/seat-limits.ts';
import type { SeatOptions } from './batch/seat.ts';
import { seatsFor, togetherSeat } from './batch/seats-for.ts';
import type { WaitingSequence } from './batch/waiting-line.ts';
import { calibrateEngine } from './calibrate/calibrate-engine.ts';
import { allowedCores } from './device/allowed-cores.ts';
import { checkDevices } from './device/device-names.ts';
import type { DevicePool } from './device/device-pool.ts';
import { readMachineFacts } from './device/machine-facts.ts';
import { openDevices, type DeviceChoice } from './device/open-devices.ts';
import { openModelPool } from './device/open-model-pool.ts';
import { togetherThreads } from './device/together-threads.ts';
import { engineOptionsSchema, type EngineOptions, type ResolvedEngineOptions } from './engine-options.ts';
import { callPrompt, type CallPrompt } from './model/call-prompt.ts';
import type { OpenCall } from './model/model-directory.ts';
import type { ModelSpec } from './model/model-spec.ts';
import { prepareModel } from './model/prepare-model.ts';
import { registrationOf, type EngineRegistration } from './model/registration-of.ts';
import { tokenizerText, type TokenizerText } from './tokenize/tokenizer-text.ts';
import { Tokenizer } from './tokenize/tokenizer.ts';

/** What goes along with a call. */
export interface EngineCall {
  readonly signal?: AbortSignal;
  readonly lane?: Lane;
}

/** What goes along while an engine opens. */
export interface EngineOpening extends OpenCall {
  /** Told once, which devices run. */
  readonly onDevices?: (choice: DeviceChoice) => void;
}

/**
 * Text → vectors on one machine. Calls side by side share batches. The same text has the same bits in
 * every batch, on the same CPU with the same runtime (packed graphs; other exports pad, and may differ in
 * the last bits).
 */
export class Engine {
  readonly registration: EngineRegistration;
  readonly #spec: ModelSpec;
  readonly #windowTexts: number;
  readonly #tokenizer: Tokenizer;
  readonly #pool: DevicePool;
  readonly #batcher: Batcher;
  readonly #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    spec: ModelSpec;
    fingerprint: string;
    options: ResolvedEngineOptions;
    tokenizer: Tokenizer;
    pool: DevicePool;
    seats: SeatOptions[];
  }) {
    const { spec, options, pool, seats } = parts;
    this.registration = registrationOf(spec, parts.fingerprint);
    this.#spec = spec;
    this.#windowTexts = options.windowTexts ?? windowTextsFor(seats.map(({ tokenBudget }) => tokenBudget));
    this.#tokenizer = parts.tokenizer;
    this.#pool = pool;
    this.#batcher = new Batcher(seats, {
      windowTexts: this.#windowTexts,
      graph: spec.graph,
      hasTokenRows: spec.pooling === 'none',
      ...togetherSeat(pool.together, seats),
      now: () => performance.now(),
    });
  }

  /**
   * @throws FarmError `invalid_argument` for options out of range, for a model that cannot be read, and for
   *   devices that this machine does not run; `cancelled` when the signal aborts while weights are converted.
   */
  static async open(options: EngineOptions = {}, call: EngineOpening = {}): Promise<Engine> {
    const resolved = parseOptions('engine options', engineOptionsSchema, options);
    await checkDevices(resolved.devices);
    const model = await prepareModel(resolved, call);
    const { spec, fingerprint } = model;
    const tokenizer = await Tokenizer.open(spec);
    const { pool, choice } = await openDevices(
      resolved.devices,
      async (names) => {
        const threads = resolved.lowLatency ? togetherThreads(names, await allowedCores()) : undefined;
        return openModelPool(names, model, tokenizer, threads);
      },
      readMachineFacts,
    );
    try {
      call.onDevices?.({ ...choice, names: pool.names });
      const calibration = await calibrateEngine(pool.devices, { spec, fingerprint }, resolved);
      const seats = seatsFor(pool.devices, resolved, calibration);
      return new Engine({ spec, fingerprint, options: resolved, tokenizer, pool, seats });
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /**
   * One vector per text, or one per token where the pooling is `none`, in their order. A text that fails
   * has no row; `failures` says why, and the others have theirs.
   *
   * @throws FarmError `invalid_argument` for an empty list or options that the model cannot fulfil,
   *   `cancelled` on abort, `no_worker` once the engine closes.
   */
  encode(
    texts: readonly EncodeText[],
    options?: Partial<EncodeOptions> & { readonly dtype?: 'float32' },
    call?: EngineCall,
  ): Promise<FloatBlock>;
  encode(
    texts: readonly EncodeText[],
    options: Partial<EncodeOptions>,
    call?: EngineCall,
  ): Promise<VectorBlock>;
  async encode(
    texts: readonly EncodeText[],
    options: Partial<EncodeOptions> = {},
    { signal, lane = 'interactive' }: EngineCall = {},
  ): Promise<VectorBlock> {
    const wishes = parseOptions('encode options', encodeOptionsSchema, options);
    checkOptions(wishes, this.registration);
    const prompt = callPrompt(this.#spec, wishes);
    const { pooling, normalize, dimensions } = this.registration;
    const { dtype, tokens = false, returnTokens = false } = wishes;
    const shape = {
      normalize: wishes.normalize ?? normalize,
      dimensions: wishes.dimensions ?? dimensions,
      dtype,
      ...(pooling === 'none' ? { tokenDimensions: dimensions } : {}),
    };
    if (!Array.isArray(texts) || texts.length === 0)
      throw new FarmError('invalid_argument', 'texts must be a list of at least 1 text');
    if (this.#closing) throw new FarmError('no_worker', 'the engine is closed');
    const call = new EncodeCall(texts.length, shape, performance.now(), returnTokens);
    const giveUp = (error: FarmError): void => {
      call.cancel(error);
      this.#batcher.remove(call);
    };
    const abort = (): void =>
      giveUp(new FarmError('cancelled', 'the call was aborted', { cause: signal?.reason }));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    // A copy: the caller may use the list anew while the call runs, and a hole must be a text that fails.
    const prepared = Array.from(texts, (text) => tokenizerText(text, { tokens, prompt: prompt.text }));
    const feeding = this.#feed(call, prepared, {
      truncate: wishes.truncate,
      returnTokens,
      lane,
      prompt,
    }).catch((error: unknown) => giveUp(FarmError.from(error)));
    const ended = Promise.allSettled([feeding, call.settled]);
    this.#calls.add(ended);
    void ended.then(() => this.#calls.delete(ended));
    try {
      await call.settled;
      return call.toBlock();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Tokenizes the texts and puts them into the line, a window at a time. */
  async #feed(
    call: EncodeCall,
    texts: readonly TokenizerText[],
    { truncate, returnTokens = false, lane, prompt }: FeedOptions,
  ): Promise<void> {
    // A cut at the start takes the prompt first, and leaves the text.
    const length =
      prompt.text === '' || truncate === 'start' ? 0 : await this.#tokenizer.promptLength(prompt.text);
    const marks = prompt.isPooled ? {} : { unpooled: length };
    let index = 0;
    let ready: WaitingSequence<BatchedCall>[] = [];
    for await (const part of this.#tokenizer.tokenize(texts, truncate, () => call.isSettled)) {
      const tokens = returnTokens ? await this.#tokenizer.tokensOf(part) : [];
      for (const [place, text] of part.entries()) {
        call.tokenized(index, text, tokens[place]);
        if (!(text instanceof FarmError)) ready.push({ ...text, ...marks, index, call });
        index += 1;
      }
      if (index === texts.length) call.allTokenized(performance.now());
      if (call.isSettled) return;
      if (ready.length >= this.#windowTexts || index === texts.length) {
        this.#batcher.put(ready, lane);
        ready = [];
      }
    }
  }

  /** Estimated ms of work in the waiting line and on the devices. */
  get backlogMs(): number {
    return this.#batcher.backlogMs;
  }

  get waitingTexts(): number {
    return this.#batcher.waitingTexts;
  }

  get counters(): BatchCounters {
    return this.#batcher.counters;
  }

  /** Called whenever the backlog shrank. @returns what ends it. */
  onChange(listener: () => void): () => void {
    return this.#batcher.onChange(listener);
  }

  /** Told of every batch that has its rows. @returns what ends it. */
  onBatch(listener: (batch: BatchEnd) => void): () => void {
    return this.#batcher.onBatch(listener);
  }

  deviceReports(): DeviceReport[] {
    return this.#batcher.deviceReports();
  }

  /** Over the last 5 seconds. */
  throughput(): { textsPerSecond: number; tokensPerSecond: number } {
    return this.#batcher.throughput();
  }

  /** What waits is still encoded; then the threads end. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#calls);
    await this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface FeedOptions extends Pick<EncodeOptions, 'truncate' | 'returnTokens'> {
  readonly lane: Lane;
  readonly prompt: CallPrompt;
}
