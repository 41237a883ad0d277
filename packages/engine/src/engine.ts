import {
  encodeOptionsSchema,
  FarmError,
  parseOptions,
  type DeviceReport,
  type EncodeOptions,
  type FloatBlock,
  type Lane,
  type ModelRegistration,
} from '@embedfarm/contract';
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
import { DevicePool } from './device/device-pool.ts';
import { readMachineFacts } from './device/machine-facts.ts';
import { openDevices, type DeviceChoice } from './device/open-devices.ts';
import { isProviderFault } from './device/provider-fault.ts';
import { ThreadedDevice } from './device/threaded-device.ts';
import { togetherThreads } from './device/together-threads.ts';
import { engineOptionsSchema, type EngineOptions, type ResolvedEngineOptions } from './engine-options.ts';
import { fingerprintModel } from './model/fingerprint.ts';
import { modelDirectory, type OpenCall } from './model/model-directory.ts';
import { readModelSpec, type ModelSpec } from './model/model-spec.ts';
import { Tokenizer } from './tokenize/tokenizer.ts';

export type EngineRegistration = Omit<ModelRegistration, 'model'>;

/** What goes along while an engine opens. */
export interface EngineCall extends OpenCall {
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
  readonly #windowTexts: number;
  readonly #tokenizer: Tokenizer;
  readonly #pool: DevicePool;
  readonly #batcher: Batcher;
  readonly #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    registration: EngineRegistration;
    options: ResolvedEngineOptions;
    graph: ModelSpec['graph'];
    tokenizer: Tokenizer;
    pool: DevicePool;
    seats: SeatOptions[];
  }) {
    const { options, graph, pool, seats } = parts;
    this.registration = parts.registration;
    this.#windowTexts = options.windowTexts ?? windowTextsFor(seats.map(({ tokenBudget }) => tokenBudget));
    this.#tokenizer = parts.tokenizer;
    this.#pool = pool;
    this.#batcher = new Batcher(seats, {
      windowTexts: this.#windowTexts,
      graph,
      hasTokenRows: parts.registration.pooling === 'none',
      ...togetherSeat(pool.together, seats),
      now: () => performance.now(),
    });
  }

  /**
   * @throws FarmError `invalid_argument` for options out of range, for a model that cannot be read, and for
   *   devices that this machine does not run; `cancelled` when the signal aborts while weights are converted.
   */
  static async open(options: EngineOptions = {}, call: EngineCall = {}): Promise<Engine> {
    const resolved = parseOptions('engine options', engineOptionsSchema, options);
    await checkDevices(resolved.devices);
    const spec = await readModelSpec(await modelDirectory(resolved, call), resolved);
    const [fingerprint, tokenizer] = await Promise.all([fingerprintModel(spec), Tokenizer.open(spec)]);
    const { pool, choice } = await openDevices(
      resolved.devices,
      async (names) => {
        const threads = resolved.lowLatency ? togetherThreads(names, await allowedCores()) : undefined;
        return openPool({ names, threads }, spec, tokenizer.specialTokens);
      },
      readMachineFacts,
    );
    call.onDevices?.({ ...choice, names: pool.names });
    const calibration = await calibrateEngine(pool.devices, { spec, fingerprint }, resolved);
    const seats = seatsFor(pool.devices, resolved, calibration);
    const { dimensions, maxSequenceLength, pooling, normalize, meaningful } = spec;
    const registration = { fingerprint, dimensions, maxSequenceLength, pooling, normalize, meaningful };
    return new Engine({ registration, options: resolved, graph: spec.graph, tokenizer, pool, seats });
  }

  /**
   * One vector per text, or one per token where the pooling is `none`, in their order. A text that fails
   * has no row; `failures` says why, and the others have theirs.
   *
   * @throws FarmError `invalid_argument` for an empty list or more `dimensions` than the model has,
   *   `cancelled` on abort, `no_worker` once the engine closes.
   */
  async encode(
    texts: readonly string[],
    options: Partial<EncodeOptions> = {},
    { signal, lane = 'interactive' }: { signal?: AbortSignal; lane?: Lane } = {},
  ): Promise<FloatBlock> {
    const { truncate, normalize, dimensions } = parseOptions('encode options', encodeOptionsSchema, options);
    const { pooling, dimensions: modelDimensions } = this.registration;
    const shape = {
      normalize: normalize ?? this.registration.normalize,
      dimensions: this.#checkDimensions(dimensions),
      ...(pooling === 'none' ? { tokenDimensions: modelDimensions } : {}),
    };
    if (!Array.isArray(texts) || texts.length === 0)
      throw new FarmError('invalid_argument', 'texts must be a list of at least 1 text');
    if (this.#closing) throw new FarmError('no_worker', 'the engine is closed');
    const call = new EncodeCall(texts.length, shape, performance.now());
    const giveUp = (error: FarmError): void => {
      call.cancel(error);
      this.#batcher.remove(call);
    };
    const abort = (): void =>
      giveUp(new FarmError('cancelled', 'the call was aborted', { cause: signal?.reason }));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    // A copy: the caller may use the list anew while the call runs, and a hole must be a text that fails.
    const feeding = this.#feed(call, Array.from<string>(texts), truncate, lane).catch((error: unknown) =>
      giveUp(FarmError.from(error)),
    );
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
    texts: readonly string[],
    truncate: EncodeOptions['truncate'],
    lane: Lane,
  ): Promise<void> {
    let index = 0;
    let ready: WaitingSequence<BatchedCall>[] = [];
    for await (const part of this.#tokenizer.tokenize(texts, truncate, () => call.isSettled)) {
      for (const text of part) {
        call.tokenized(index, text);
        if (!(text instanceof FarmError)) ready.push({ ids: text.ids, index, call });
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

  #checkDimensions(wanted: number | undefined): number {
    const { dimensions } = this.registration;
    if (wanted === undefined || wanted <= dimensions) return wanted ?? dimensions;
    throw new FarmError('invalid_argument', `dimensions is ${wanted}, the model has ${dimensions}`);
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

function openPool(
  { names, threads }: { names: readonly string[]; threads: number | undefined },
  spec: ModelSpec,
  specialTokens: Tokenizer['specialTokens'],
): Promise<DevicePool> {
  const { graph, output, pooling, vocabularySize, maxSequenceLength, dimensions, heads, padId } = spec;
  const options = {
    modelFile: spec.files.graph,
    graph,
    output,
    pooling,
    vocabularySize,
    maxSequenceLength,
    dimensions,
    heads,
    padId,
    ...(spec.maskClsSep ? { masked: specialTokens } : {}),
  };
  const openDevice = (name: string, threads = 1): Promise<ThreadedDevice> =>
    ThreadedDevice.open({ name, threads, ...options });
  return DevicePool.open(names, openDevice, { tokenId: padId, maxSequenceLength, threads }).catch(
    (thrown: unknown) => {
      throw graphError(spec.files.graph, FarmError.from(thrown));
    },
  );
}

/** A graph that does not open, or fails in its first run, does not fit what stands beside it. */
function graphError(graph: string, error: FarmError): FarmError {
  const isOfModel = error.code === 'invalid_argument' || error.code === 'internal';
  if (!isOfModel || isProviderFault(error) || error.detail.startsWith(graph)) return error;
  return new FarmError('invalid_argument', `${graph}: ${error.detail}`, { cause: error });
}
