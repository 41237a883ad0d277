import {
  FarmError,
  quantizeRows,
  type EncodeOptions,
  type EncodeText,
  type Lane,
  type ModelRegistration,
  type VectorBlock,
} from '@embedfarm/contract';

const DIMENSIONS = 4;
/** Texts that fail alone. */
const BAD_TEXT = 'bad text';

/** The vector that a FakeEncoder gives a text: checkable without a model. */
export function fakeVector(text: EncodeText): number[] {
  const whole = typeof text === 'string' ? text : text.flat().join('|');
  let sum = 0;
  for (const character of whole) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_536;
  return [whole.length, sum, 1, 0.5];
}

/** The tokens that a FakeEncoder tells of a text. */
export function fakeTokens(text: EncodeText): string[] {
  return typeof text === 'string' ? text.split(' ') : text.flat().map(String);
}

export function fakeRegistration(model = 'fake', fingerprint = 'fake-1'): ModelRegistration {
  return {
    model,
    fingerprint,
    dimensions: DIMENSIONS,
    maxSequenceLength: 512,
    pooling: 'mean',
    normalize: false,
    dtype: 'float32',
    meaningful: false,
  };
}

/**
 * An engine without a model, for tests of the farm: it notes what it is given, can be held in
 * the middle of a chunk, and fails when told to.
 */
export class FakeEncoder {
  /** Every chunk's texts, in the order they came. */
  readonly calls: { readonly texts: readonly EncodeText[]; readonly lane: Lane }[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  readonly #arrivals: { count: number; resolve: () => void }[] = [];
  readonly #faults: Error[] = [];
  #held = false;
  #heldTexts: readonly EncodeText[] = [];
  backlogMs = 0;
  waitingTexts = 0;

  /** Chunks that come from now on wait for `release`. */
  hold(): void {
    this.#held = true;
  }

  /** Chunks that hold one of these texts wait for `release`. */
  holdTexts(texts: readonly EncodeText[]): void {
    this.#heldTexts = texts;
  }

  release(): void {
    this.#held = false;
    this.#heldTexts = [];
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  /** Chunks that wait for `release` now. */
  get heldChunks(): number {
    return this.#waiting.size;
  }

  /** The next chunk fails as a whole with this. */
  failNext(fault: Error): void {
    this.#faults.push(fault);
  }

  /** Resolves when so many chunks have come in all. */
  async arrived(count: number): Promise<void> {
    if (this.calls.length >= count) return;
    await new Promise<void>((resolve) => this.#arrivals.push({ count, resolve }));
  }

  /** Ends a batch as the gate of a worker sees it. */
  endBatch(backlogMs: number): void {
    this.backlogMs = backlogMs;
    for (const listener of this.#listeners) listener();
  }

  async encode(
    texts: readonly EncodeText[],
    options: EncodeOptions,
    { signal, lane }: { signal: AbortSignal; lane: Lane },
  ): Promise<VectorBlock> {
    this.calls.push({ texts, lane });
    for (const { count, resolve } of this.#arrivals) if (this.calls.length >= count) resolve();
    await this.#pass(texts, signal);
    if (signal.aborted) throw new FarmError('cancelled', 'the chunk was aborted');
    const fault = this.#faults.shift();
    if (fault) throw fault;
    return fakeBlock(texts, options);
  }

  onBatchEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  deviceReports(): { name: string; slots: number; tokenBudget: number; busyShare: number }[] {
    return [{ name: 'fake/0', slots: 2, tokenBudget: 256, busyShare: 0 }];
  }

  throughput(): { textsPerSecond: number; tokensPerSecond: number } {
    return { textsPerSecond: 0, tokensPerSecond: 0 };
  }

  async #pass(texts: readonly EncodeText[], signal: AbortSignal): Promise<void> {
    if (!this.#held && !texts.some((text) => this.#heldTexts.includes(text))) return;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

function fakeBlock(
  texts: readonly EncodeText[],
  { dimensions = DIMENSIONS, dtype, returnTokens = false }: EncodeOptions,
): VectorBlock {
  const bad = texts.flatMap((text, index) => (text === BAD_TEXT ? [index] : []));
  const firstRows = new Uint32Array(texts.length + 1);
  const values: number[] = [];
  for (const [index, text] of texts.entries()) {
    if (text !== BAD_TEXT) values.push(...fakeVector(text).slice(0, dimensions));
    firstRows[index + 1] = values.length / dimensions;
  }
  return {
    dtype,
    dimensions,
    values: quantizeRows(Float32Array.from(values), dimensions, dtype),
    firstRows,
    tokens: Uint32Array.from(texts, (text) => text.length + 2),
    truncated: new Uint8Array(texts.length),
    failures: bad.length === 0 ? [] : [{ code: 'internal', message: 'told to fail', texts: bad }],
    ...(returnTokens ? { tokenLists: texts.map(fakeTokens) } : {}),
    timing: { queueMs: 0, tokenizeMs: 1, batchWaitMs: 1, deviceMs: 1 },
  };
}
