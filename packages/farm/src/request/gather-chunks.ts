import {
  FarmError,
  MAX_CHUNK_BYTES,
  messageOf,
  textBytes,
  type EncodeJob,
  type EncodeText,
} from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { TextRange } from '../producer/split-texts.ts';
import { TextChunks, type TextChunk } from '../producer/text-chunks.ts';

/** Texts of an iterable, an asynchronous one or not. */
export type TextSource = AsyncIterable<EncodeText> | Iterable<EncodeText>;

/** A list is sent as it is; what else gives texts is read as it goes. */
export function isList(source: readonly EncodeText[] | TextSource): source is readonly EncodeText[] {
  return Array.isArray(source);
}

/** Texts that travel as one job. */
export interface GatheredChunk {
  readonly texts: readonly EncodeText[];
  /** Texts that no worker is to see, and why. */
  readonly refused: NonNullable<EncodeJob['refused']>;
}

/** Bytes of texts in one call to Redis: a larger one would hold up everybody else's. */
const SLICE_BYTES = 4 * MAX_CHUNK_BYTES;
const SLICE_CHUNKS = 64;
/** What a slow source gave is sent on at least this often. */
const PATIENCE_MS = 1_000;
/** After so many times that there was nothing, an empty slice asks whether anybody still wants the source's texts. */
const EMPTY_LOOKS = 5;

/** Chunks of a list, in slices that are enqueued with one call. */
export function* sliceList(
  texts: readonly EncodeText[],
  ranges: readonly TextRange[],
): Generator<GatheredChunk[]> {
  const slice = new Slice();
  for (const { from, to } of ranges) {
    slice.add({ texts: texts.slice(from, to), refused: [] });
    if (slice.isFull) yield slice.take();
  }
  if (!slice.isEmpty) yield slice.take();
}

export interface GatherOptions {
  readonly maxTexts: number;
  readonly tokens: boolean;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/**
 * Chunks of an iterable, in slices. It is read no faster than slices are taken. A text that is none fails alone,
 * with an empty one in its place. Of a source that is silent there is an empty slice every 5 s.
 *
 * @throws FarmError `invalid_argument` with what the source throws as its cause, after all that came before it;
 *   `cancelled` on abort; `deadline_exceeded` for a source that has not ended after `timeoutMs`.
 */
export async function* gatherSlices(
  source: TextSource,
  { maxTexts, tokens, signal, timeoutMs = Infinity }: GatherOptions,
): AsyncGenerator<GatheredChunk[]> {
  const deadlineAt = performance.now() + timeoutMs;
  const chunks = new TextChunks(source, { maxTexts, tokens, skip: 0, onFirstText: () => undefined });
  const slice = new Slice();
  let coming = chunks.next();
  let looks = 0;
  try {
    for (;;) {
      const leftMs = deadlineAt - performance.now();
      if (leftMs <= 0) throw lateFault(chunks.textsRead, timeoutMs);
      const step = await settled(coming, signal, Math.min(PATIENCE_MS, leftMs));
      if (step === 'late') {
        // Handed to who waits: it comes with the next step.
        if (chunks.hasPart) chunks.flush();
        else if (!slice.isEmpty || (looks += 1) % EMPTY_LOOKS === 0) yield slice.take();
        continue;
      }
      looks = 0;
      if ('fault' in step) {
        if (!slice.isEmpty) yield slice.take();
        throw sourceFault(step.fault, chunks.textsRead);
      }
      if (step.chunk === undefined) break;
      slice.add(step.chunk);
      coming = chunks.next();
      // What is read ahead may fail before it is looked at.
      coming.catch(() => undefined);
      if (slice.isFull || step.chunk.texts.length < maxTexts) yield slice.take();
    }
    if (!slice.isEmpty) yield slice.take();
  } finally {
    // A source that hangs must not hold up the end.
    void chunks.close();
  }
}

type Step = { readonly chunk: TextChunk | undefined } | { readonly fault: unknown } | 'late';

async function settled(
  coming: Promise<TextChunk | undefined>,
  signal: AbortSignal,
  patienceMs: number,
): Promise<Step> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const cut = new Promise<Step>((resolve) => {
    // A source that hangs keeps no process alive.
    timer = setTimeout(() => resolve('late'), patienceMs).unref();
    abort = () =>
      resolve({ fault: new FarmError('cancelled', 'the call was aborted', { cause: signal.reason }) });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    const step: Promise<Step> = coming.then(
      (chunk) => ({ chunk }),
      (fault: unknown) => ({ fault }),
    );
    return await Promise.race([step, cut]);
  } finally {
    clearTimeout(timer);
    if (abort) signal.removeEventListener('abort', abort);
  }
}

class Slice {
  #chunks: GatheredChunk[] = [];
  #bytes = 0;

  add({ texts, refused }: GatheredChunk): void {
    this.#chunks.push({ texts, refused });
    for (const text of texts) this.#bytes += textBytes(text);
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  get isFull(): boolean {
    return this.#chunks.length >= SLICE_CHUNKS || this.#bytes >= SLICE_BYTES;
  }

  take(): GatheredChunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }
}

function lateFault(texts: number, timeoutMs: number): FarmError {
  return new FarmError(
    'deadline_exceeded',
    `the source of texts has not ended within ${Math.round(timeoutMs)} ms, it gave ${texts} texts`,
  );
}

function sourceFault(fault: unknown, texts: number): FarmError {
  const known = FarmError.from(fault);
  if (known === fault) return known;
  return new FarmError(
    'invalid_argument',
    `the source of texts failed at texts[${texts}]: ${messageOf(fault)}`,
    { cause: fault },
  );
}
