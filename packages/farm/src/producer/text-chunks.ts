import {
  copyText,
  FarmError,
  MAX_CHUNK_BYTES,
  messageOf,
  readGiven,
  textBytes,
  type EncodeJob,
  type EncodeText,
} from '@embedfarm/contract';
import type { TextSource } from '../request/gather-chunks.ts';

/** Consecutive texts of a stream. */
export interface TextChunk {
  readonly index: number;
  /** Index of its first text in the stream. */
  readonly from: number;
  readonly texts: readonly EncodeText[];
  /** Texts that no worker is to see, and why: they get their errors, and the others their vectors. */
  readonly refused: NonNullable<EncodeJob['refused']>;
}

type SourceIterator = Iterator<unknown> | AsyncIterator<unknown>;

export interface TextChunksOptions {
  /** Whether texts are lists of tokens. */
  readonly tokens: boolean;
  /** Most texts of a chunk. */
  readonly maxTexts: number;
  /** Texts that are read and passed over. */
  readonly skip: number;
  /** Told when a chunk has its first text. */
  readonly onFirstText: () => void;
}

/** @throws FarmError `invalid_argument` for what gives no texts; a lone string would give its characters. */
export function checkSource(source: unknown): asserts source is TextSource {
  const isSource = readGiven(
    'texts',
    () =>
      typeof source === 'object' &&
      source !== null &&
      (Symbol.asyncIterator in source || Symbol.iterator in source),
  );
  if (isSource) return;
  const kind = source === null ? 'null' : typeof source;
  throw new FarmError(
    'invalid_argument',
    `texts must be an iterable or async iterable of texts, got ${kind}`,
  );
}

/**
 * Cuts what a source gives into chunks: whole texts, order kept, within the limits of a chunk, and never more read
 * than was asked for. As long as nobody flushes, where it cuts depends on the texts alone.
 */
export class TextChunks {
  readonly #iterator: SourceIterator;
  readonly #isAsync: boolean;
  readonly #options: TextChunksOptions;
  #index = 0;
  #textsRead = 0;
  #texts: EncodeText[] = [];
  #refused: { text: number; message: string }[] = [];
  #bytes = 0;
  readonly #ready: TextChunk[] = [];
  #taker: { resolve: (chunk: TextChunk | undefined) => void; reject: (thrown: unknown) => void } | undefined;
  #isReading = false;
  #hasEnded = false;
  #fault: { readonly thrown: unknown } | undefined;

  constructor(source: TextSource, options: TextChunksOptions) {
    const { iterator, isAsync } = iteratorOf(source);
    this.#iterator = iterator;
    this.#isAsync = isAsync;
    this.#options = options;
  }

  /** Texts so far, those passed over too. */
  get textsRead(): number {
    return this.#textsRead;
  }

  /** Whether a chunk has begun that is not full yet. */
  get hasPart(): boolean {
    return this.#texts.length > 0;
  }

  /**
   * The next full chunk, the rest at the end, undefined after it. One call at a time.
   *
   * @throws what the source throws, after all that it gave before.
   */
  next(): Promise<TextChunk | undefined> {
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject };
      this.#hand();
      if (this.#taker && !this.#isReading) void this.#read();
    });
  }

  /** Hands out what is there to who waits, full or not. */
  flush(): void {
    if (!this.#taker || this.#texts.length === 0) return;
    this.#cut();
    this.#hand();
  }

  /**
   * Lets the source end. One that is in the middle of its next text is told, and not waited for: it may never come.
   */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#texts = [];
    this.#refused = [];
    this.#hand();
    const isReading = this.#isReading;
    try {
      const ended = this.#iterator.return?.();
      if (isReading) Promise.resolve(ended).catch(() => undefined);
      else await ended;
    } catch {
      // The rows are there; a source that cannot be closed is its owner's to notice.
    }
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#taker && !this.#hasEnded) {
        const step: unknown = this.#isAsync ? await this.#iterator.next() : this.#iterator.next();
        const { done, value } = readStep(step, this.#textsRead);
        if (done) this.#hasEnded = true;
        else this.#put(value);
        this.#hand();
      }
    } catch (thrown) {
      this.#hasEnded = true;
      this.#fault = { thrown };
    } finally {
      this.#isReading = false;
    }
    this.#hand();
  }

  #put(text: unknown): void {
    const { tokens, maxTexts, skip, onFirstText } = this.#options;
    const index = this.#textsRead;
    this.#textsRead += 1;
    if (index < skip) return;
    // Lists are the caller's, who may fill them anew for the next text.
    const { text: copied, fault } = copyText(text, { tokens }, `texts[${index}]`);
    const taken = copied ?? (tokens ? [] : '');
    const bytes = textBytes(taken);
    if (this.#texts.length > 0 && this.#bytes + bytes > MAX_CHUNK_BYTES) this.#cut(index);
    if (fault !== undefined) this.#refused.push({ text: this.#texts.length, message: fault });
    this.#texts.push(taken);
    this.#bytes += bytes;
    if (this.#texts.length === maxTexts) this.#cut();
    else if (this.#texts.length === 1) onFirstText();
  }

  /** `end`: index after the chunk's last text. */
  #cut(end: number = this.#textsRead): void {
    const texts = this.#texts;
    this.#ready.push({ index: this.#index, from: end - texts.length, texts, refused: this.#refused });
    this.#index += 1;
    this.#texts = [];
    this.#refused = [];
    this.#bytes = 0;
  }

  #hand(): void {
    if (this.#hasEnded && this.#texts.length > 0) this.#cut();
    const taker = this.#taker;
    if (!taker) return;
    const chunk = this.#ready.shift();
    if (!chunk && !this.#hasEnded) return;
    this.#taker = undefined;
    if (!chunk && this.#fault) taker.reject(this.#fault.thrown);
    else taker.resolve(chunk);
  }
}

/** @throws FarmError `invalid_argument` for a source whose iterator is none. */
function iteratorOf(source: TextSource): { iterator: SourceIterator; isAsync: boolean } {
  try {
    const isAsync = Symbol.asyncIterator in source && source[Symbol.asyncIterator] !== undefined;
    const iterator: SourceIterator = isAsync
      ? (source as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      : (source as Iterable<unknown>)[Symbol.iterator]();
    if (typeof iterator.next !== 'function') throw new TypeError('its iterator has no next');
    return { iterator, isAsync };
  } catch (thrown) {
    throw new FarmError('invalid_argument', `texts cannot be iterated: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** @throws FarmError `invalid_argument` for what is no step of an iterator, or cannot be read. */
function readStep(step: unknown, texts: number): { done: boolean; value: unknown } {
  return readGiven(`the step of the source at texts[${texts}]`, () => {
    if (typeof step !== 'object' || step === null) throw new TypeError(`it is no object but ${typeof step}`);
    const { done, value } = step as IteratorResult<unknown>;
    return { done: Boolean(done), value };
  });
}
