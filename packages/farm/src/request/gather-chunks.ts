import {
  FarmError,
  MAX_CHUNK_BYTES,
  textBytes,
  textFault,
  type EncodeJob,
  type EncodeText,
} from '@embedfarm/contract';
import type { TextRange } from '../producer/split-texts.ts';

/** Texts of an iterable, an asynchronous one or not. */
export type TextSource = AsyncIterable<EncodeText> | Iterable<EncodeText>;

/** Texts that travel as one job. */
export interface GatheredChunk {
  readonly texts: readonly EncodeText[];
  readonly bytes: number;
  /** Texts that no worker is to see, and why. */
  readonly refused: NonNullable<EncodeJob['refused']>;
}

/** Bytes of texts in one call to Redis: a larger one would hold up everybody else's. */
const SLICE_BYTES = 4 * MAX_CHUNK_BYTES;
const SLICE_CHUNKS = 64;
/** A source that is silent for this long has what it gave sent on. */
const SILENT_MS = 1_000;

/** Chunks of a list, in slices that are enqueued with one call. */
export function* sliceList(
  texts: readonly EncodeText[],
  ranges: readonly TextRange[],
): Generator<GatheredChunk[]> {
  let slice = new Slice();
  for (const { from, to } of ranges) {
    const chunk = texts.slice(from, to);
    slice.add({ texts: chunk, bytes: bytesOf(chunk), refused: [] });
    if (!slice.isFull) continue;
    yield slice.chunks;
    slice = new Slice();
  }
  if (slice.chunks.length > 0) yield slice.chunks;
}

/**
 * Chunks of an iterable, in slices. It is read no faster than slices are taken. A text that is none fails alone,
 * with an empty one in its place.
 *
 * @throws what the source throws, after all that came before it.
 */
export async function* gatherSlices(
  source: TextSource,
  { maxTexts, tokens, signal }: { maxTexts: number; tokens: boolean; signal: AbortSignal },
): AsyncGenerator<GatheredChunk[]> {
  const texts = readTexts(source);
  const gatherer = new Gatherer(maxTexts, tokens);
  let reading = texts.next();
  try {
    for (;;) {
      const next = await settled(reading, gatherer.isEmpty ? undefined : SILENT_MS, signal);
      if (next === 'silent') {
        yield gatherer.take();
        continue;
      }
      if ('fault' in next) {
        if (!gatherer.isEmpty) yield gatherer.take();
        throw sourceFault(next.fault, gatherer.texts);
      }
      if (next.done === true) break;
      reading = texts.next();
      // What is read ahead may fail before it is looked at.
      reading.catch(() => undefined);
      gatherer.add(next.value);
      if (gatherer.isFull) yield gatherer.take();
    }
    if (!gatherer.isEmpty) yield gatherer.take();
  } finally {
    // A source that hangs must not hold up the end.
    void texts.return(undefined).catch(() => undefined);
  }
}

async function* readTexts(source: TextSource): AsyncGenerator<EncodeText> {
  yield* source;
}

type Step = IteratorResult<EncodeText, unknown> | { readonly fault: unknown } | 'silent';

async function settled(
  reading: Promise<IteratorResult<EncodeText, unknown>>,
  silentMs: number | undefined,
  signal: AbortSignal,
): Promise<Step> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const cut = new Promise<Step>((resolve) => {
    if (silentMs !== undefined) timer = setTimeout(() => resolve('silent'), silentMs);
    abort = () =>
      resolve({ fault: new FarmError('cancelled', 'the call was aborted', { cause: signal.reason }) });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([reading.catch((fault: unknown) => ({ fault })), cut]);
  } finally {
    clearTimeout(timer);
    if (abort) signal.removeEventListener('abort', abort);
  }
}

class Slice {
  readonly chunks: GatheredChunk[] = [];
  #bytes = 0;

  add(chunk: GatheredChunk): void {
    this.chunks.push(chunk);
    this.#bytes += chunk.bytes;
  }

  get isFull(): boolean {
    return this.chunks.length >= SLICE_CHUNKS || this.#bytes >= SLICE_BYTES;
  }
}

/** Fills chunks with texts, and a slice with chunks. */
class Gatherer {
  readonly #maxTexts: number;
  readonly #tokens: boolean;
  #slice = new Slice();
  #texts: EncodeText[] = [];
  #bytes = 0;
  #refused: { text: number; message: string }[] = [];
  #index = 0;

  constructor(maxTexts: number, tokens: boolean) {
    this.#maxTexts = maxTexts;
    this.#tokens = tokens;
  }

  /** Texts taken in all. */
  get texts(): number {
    return this.#index;
  }

  get isEmpty(): boolean {
    return this.#slice.chunks.length === 0 && this.#texts.length === 0;
  }

  get isFull(): boolean {
    return this.#slice.isFull;
  }

  add(text: EncodeText): void {
    const fault = textFault(text, { tokens: this.#tokens }, `texts[${this.#index}]`);
    const taken = fault === undefined ? text : this.#tokens ? [] : '';
    const bytes = textBytes(taken);
    if (this.#texts.length === this.#maxTexts || this.#bytes + bytes > MAX_CHUNK_BYTES) this.#endChunk();
    if (fault !== undefined) this.#refused.push({ text: this.#texts.length, message: fault });
    this.#texts.push(taken);
    this.#bytes += bytes;
    this.#index += 1;
  }

  /** All there is, the chunk that is not full too. */
  take(): GatheredChunk[] {
    this.#endChunk();
    const { chunks } = this.#slice;
    this.#slice = new Slice();
    return chunks;
  }

  #endChunk(): void {
    if (this.#texts.length === 0) return;
    this.#slice.add({ texts: this.#texts, bytes: this.#bytes, refused: this.#refused });
    this.#texts = [];
    this.#bytes = 0;
    this.#refused = [];
  }
}

function sourceFault(fault: unknown, texts: number): FarmError {
  if (fault instanceof FarmError) return fault;
  const message = fault instanceof Error ? fault.message : String(fault);
  return new FarmError('invalid_argument', `the source of texts failed at texts[${texts}]: ${message}`, {
    cause: fault,
  });
}

function bytesOf(texts: readonly EncodeText[]): number {
  return texts.reduce((total, text) => total + textBytes(text), 0);
}
