import {
  FarmError,
  type DeviceReport,
  type EncodeOptions,
  type EncodeText,
  type FloatBlock,
  type Lane,
  type ModelRegistration,
} from '@embedfarm/contract';
import { fakeRegistration } from './fake-encoder.ts';

export interface TimedEncoderOptions {
  readonly dimensions?: number;
  /** What a batch costs, and each of its texts. */
  readonly msPerBatch?: number;
  readonly msPerText?: number;
  /** Chunks are put together up to so many texts; a larger chunk is a batch by itself. */
  readonly maxBatchTexts?: number;
  /** Told of each chunk when its batch begins, and when it has ended. */
  readonly onBegin?: (texts: readonly EncodeText[]) => void;
  readonly onEnd?: (texts: readonly EncodeText[]) => void;
  /** What a chunk fails with, asked when its batch begins. */
  readonly fault?: (texts: readonly EncodeText[]) => Error | undefined;
}

interface WaitingChunk {
  readonly texts: readonly EncodeText[];
  readonly lane: Lane;
  readonly dimensions: number;
  readonly resolve: (block: FloatBlock) => void;
  readonly reject: (error: Error) => void;
}

/** Exact in a float32. */
const BITS_24 = 0xff_ffff;

/**
 * The vector that a TimedEncoder gives a text, told from that of any other text: two hashes, the length, then
 * numbers that follow from the first hash.
 */
export function identityVector(text: EncodeText, dimensions: number): number[] {
  const whole = JSON.stringify(text);
  let first = 0x811c_9dc5;
  let second = 5_381;
  for (let at = 0; at < whole.length; at += 1) {
    const code = whole.charCodeAt(at);
    first = Math.imul(first ^ code, 0x0100_0193);
    second = (Math.imul(second, 33) + code) | 0;
  }
  const head = [first & BITS_24, second & BITS_24, whole.length];
  return Array.from({ length: dimensions }, (_, at) => head[at] ?? (first + at) & 0xffff);
}

export function timedRegistration(dimensions: number, model = 'timed'): ModelRegistration {
  return { ...fakeRegistration(model, `timed-${dimensions}`), dimensions };
}

/**
 * An engine without a model whose one device takes its time: for processes that are killed, stopped and
 * stalled in the middle of work. Same text, same vector.
 */
export class TimedEncoder {
  readonly #options: TimedEncoderOptions;
  readonly #listeners = new Set<() => void>();
  readonly #line: WaitingChunk[] = [];
  #isRunning = false;
  #runningTexts = 0;

  constructor(options: TimedEncoderOptions = {}) {
    this.#options = options;
  }

  get dimensions(): number {
    return this.#options.dimensions ?? 4;
  }

  get waitingTexts(): number {
    return this.#line.reduce((total, { texts }) => total + texts.length, 0);
  }

  get backlogMs(): number {
    return (this.waitingTexts + this.#runningTexts) * (this.#options.msPerText ?? 0);
  }

  encode(
    texts: readonly EncodeText[],
    options: EncodeOptions,
    { signal, lane }: { signal: AbortSignal; lane: Lane },
  ): Promise<FloatBlock> {
    return new Promise((resolve, reject) => {
      if (options.dtype !== 'float32') {
        throw new FarmError('invalid_argument', `only float32 is made, got ${options.dtype}`);
      }
      const { dimensions = this.dimensions } = options;
      const chunk = { texts, lane, dimensions, resolve, reject };
      this.#line.push(chunk);
      // What runs ends; what waits leaves the line.
      const leave = (): void => {
        const at = this.#line.indexOf(chunk);
        if (at === -1) return;
        this.#line.splice(at, 1);
        reject(new FarmError('cancelled', 'the chunk was aborted'));
      };
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
      if (!this.#isRunning) void this.#run();
    });
  }

  onBatchEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  deviceReports(): DeviceReport[] {
    return [{ name: 'timed/0', slots: 1, tokenBudget: 256, busyShare: this.#isRunning ? 1 : 0 }];
  }

  throughput(): { textsPerSecond: number; tokensPerSecond: number } {
    return { textsPerSecond: 0, tokensPerSecond: 0 };
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) {
      await this.#runBatch(batch);
    }
    this.#isRunning = false;
  }

  async #runBatch(batch: readonly WaitingChunk[]): Promise<void> {
    const { msPerBatch = 0, msPerText = 0, onBegin, onEnd, fault } = this.#options;
    const texts = batch.reduce((total, chunk) => total + chunk.texts.length, 0);
    this.#runningTexts = texts;
    for (const chunk of batch) onBegin?.(chunk.texts);
    await new Promise((resolve) => setTimeout(resolve, msPerBatch + msPerText * texts));
    this.#runningTexts = 0;
    for (const chunk of batch) {
      const error = fault?.(chunk.texts);
      if (error) chunk.reject(error);
      else {
        onEnd?.(chunk.texts);
        chunk.resolve(blockOf(chunk));
      }
    }
    for (const listener of this.#listeners) listener();
  }

  /** Interactive chunks first, as many as fit. */
  #takeBatch(): WaitingChunk[] {
    const { maxBatchTexts = 256 } = this.#options;
    const line = this.#line.toSorted((a, b) => Number(a.lane === 'bulk') - Number(b.lane === 'bulk'));
    const batch: WaitingChunk[] = [];
    let texts = 0;
    for (const chunk of line) {
      if (batch.length > 0 && texts + chunk.texts.length > maxBatchTexts) break;
      batch.push(chunk);
      texts += chunk.texts.length;
    }
    for (const chunk of batch) this.#line.splice(this.#line.indexOf(chunk), 1);
    return batch;
  }
}

function blockOf({ texts, dimensions }: WaitingChunk): FloatBlock {
  return {
    dtype: 'float32',
    dimensions,
    values: Float32Array.from(texts.flatMap((text) => identityVector(text, dimensions))),
    firstRows: Uint32Array.from({ length: texts.length + 1 }, (_, index) => index),
    tokens: Uint32Array.from(texts, (text) => text.length + 2),
    truncated: new Uint8Array(texts.length),
    failures: [],
    timing: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 },
  };
}
