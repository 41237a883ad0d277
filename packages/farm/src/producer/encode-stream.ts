import { FarmError, parseOptions, sliceBlock, type EncodeRequest } from '@embedfarm/contract';
import { setImmediate as nextTurn } from 'node:timers';
import type { TextSource } from '../request/gather-chunks.ts';
import type { EncodedChunk } from '../request/request-chunks.ts';
import { IDLE_TIMEOUT_MS, type CallOptions } from './encode-call.ts';
import { interruptible } from './interruptible.ts';
import type { SettledChunk } from './pending-chunks.ts';
import type { StreamCarrier } from './stream-carrier.ts';
import { streamOptionsSchema, type StreamOptions } from './stream-options.ts';
import { checkSource, TextChunks, type TextChunk } from './text-chunks.ts';

/** A source that is silent for this long has what it gave sent on, where somebody waits for it. */
const SILENCE_MS = 50;

/** A chunk that was sent and not yet taken. */
interface OpenChunk {
  readonly chunk: TextChunk;
  settled: EncodedChunk | undefined;
}

export interface EncodeStreamParts {
  readonly texts: TextSource;
  readonly request: Pick<EncodeRequest, 'tokens'>;
  readonly options: StreamOptions;
  readonly call: CallOptions;
}

/**
 * Texts in, chunks of vectors out, with back-pressure on both sides: at most `window` chunks are on their way or wait
 * to be taken, and no text is read ahead of them.
 */
export class EncodeStream {
  readonly #parts: EncodeStreamParts;
  readonly #openCarrier: () => Promise<StreamCarrier>;
  /** What is failed when the producer closes. */
  readonly #running: Set<{ fail(error: FarmError): void }>;
  readonly #position: number;
  readonly #order: 'texts' | 'finished';
  readonly #window: number;
  /** By index; the first one is the lowest. */
  readonly #chunks = new Map<number, OpenChunk>();
  #texts!: TextChunks;
  #carrier: StreamCarrier | undefined;
  #carried = 0;
  #nextIndex = 0;
  #done = 0;
  #hasAllTexts = false;
  #isFilling = false;
  #hasEnded = false;
  #fault: { readonly thrown: unknown; readonly atOnce: boolean } | undefined;
  #wake: (() => void) | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;

  /** @throws FarmError `invalid_argument` for broken options, or texts that are no source of texts. */
  constructor(
    parts: EncodeStreamParts,
    openCarrier: () => Promise<StreamCarrier>,
    running: Set<{ fail(error: FarmError): void }>,
  ) {
    checkSource(parts.texts);
    const { position, order, window } = parseOptions('stream options', streamOptionsSchema, parts.options);
    this.#parts = parts;
    this.#openCarrier = openCarrier;
    this.#running = running;
    this.#position = position;
    this.#order = order;
    this.#window = window;
  }

  /** Nothing is read or sent before the first `next`. To be iterated once. */
  chunks(): AsyncIterableIterator<EncodedChunk, void, undefined> {
    return interruptible(this.#run(), () => this.#end(false));
  }

  /** Ends the stream at once: the consumer gets the error in place of the next chunk. */
  fail(error: FarmError): void {
    this.#fail(error, true);
  }

  async *#run(): AsyncGenerator<EncodedChunk, void, undefined> {
    if (this.#hasEnded) return;
    let isDone = false;
    try {
      await this.#begin();
      for (;;) {
        const chunk = await this.#take();
        if (!chunk) break;
        yield chunk;
        this.#carrier?.passed(this.#lowest());
      }
      isDone = !this.#hasEnded;
    } finally {
      this.#end(isDone);
      await this.#texts?.close();
    }
  }

  async #begin(): Promise<void> {
    const { call, texts, request } = this.#parts;
    this.#running.add(this);
    if (call.signal?.aborted === true) this.#abort();
    call.signal?.addEventListener('abort', this.#abort, { once: true });
    if (call.timeoutMs !== undefined) this.#expireIn(call.timeoutMs);
    const carrier = await this.#openCarrier();
    this.#carrier = carrier;
    this.#texts = new TextChunks(texts, {
      tokens: request.tokens ?? false,
      maxTexts: carrier.maxTexts,
      skip: carrier.isResumable ? 0 : this.#position,
      onFirstText: () => this.#hurry(),
    });
    void this.#fill();
  }

  /** The next chunk for the consumer; undefined at the end. */
  async #take(): Promise<EncodedChunk | undefined> {
    while (!this.#hasEnded) {
      if (this.#fault?.atOnce === true) throw this.#fault.thrown;
      const chunk = this.#takeSettled();
      if (chunk) {
        void this.#fill();
        return chunk;
      }
      if (this.#fault) throw this.#fault.thrown;
      if (this.#hasAllTexts && this.#chunks.size === 0) return undefined;
      await this.#wait();
    }
    return undefined;
  }

  #takeSettled(): EncodedChunk | undefined {
    for (const [index, { settled }] of this.#chunks) {
      if (settled) {
        this.#chunks.delete(index);
        return settled;
      }
      if (this.#order === 'texts') return undefined;
    }
    return undefined;
  }

  async #wait(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    this.#watchIdle();
    this.#hurry();
    await woken;
    this.#watchIdle();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  get #isAwaited(): boolean {
    return this.#wake !== undefined;
  }

  /** Reads and sends chunks as long as there is room. */
  async #fill(): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      while (this.#hasRoom()) {
        const chunk = await this.#texts.next();
        if (this.#hasEnded || this.#fault) return;
        if (!chunk) {
          this.#hasAllTexts = true;
          return this.#notify();
        }
        this.#send(chunk);
        // A source that never waits is not to hold up the loop.
        await new Promise((resolve) => nextTurn(resolve));
      }
    } catch (thrown) {
      this.#fail(thrown, false);
    } finally {
      this.#isFilling = false;
    }
  }

  #hasRoom(): boolean {
    if (this.#hasEnded || this.#fault || this.#hasAllTexts) return false;
    if (this.#chunks.size >= this.#window) return false;
    // What is stored is bounded too, however late the lowest one finishes.
    return this.#carrier?.isResumable !== true || this.#nextIndex - this.#lowest() < this.#window;
  }

  /** The lowest chunk that the consumer has not taken. */
  #lowest(): number {
    const [lowest] = this.#chunks.keys();
    return lowest ?? this.#nextIndex;
  }

  #send(chunk: TextChunk): void {
    this.#nextIndex = chunk.index + 1;
    if (chunk.from + chunk.texts.length <= this.#position) return;
    const open: OpenChunk = { chunk, settled: undefined };
    this.#chunks.set(chunk.index, open);
    const carrier = this.#carrier;
    if (!carrier) return;
    this.#carried += 1;
    carrier.carry(chunk).then(
      (settled) => {
        this.#carried -= 1;
        this.#settle(open, settled, carrier.model);
      },
      (thrown: unknown) => this.#fail(FarmError.from(thrown), false),
    );
    if (this.#isAwaited && this.#deadline === undefined) this.#watchIdle();
  }

  #settle(open: OpenChunk, { status, block }: SettledChunk, model: string): void {
    if (this.#hasEnded) return;
    const [failure] = block.failures;
    // Every chunk after this one would fail like it: its rows are no news, and the stream may go on with the new model.
    if (status === 'failed' && failure?.code === 'model_changed') {
      return this.#fail(new FarmError(failure.code, failure.message), false);
    }
    const { from, texts } = open.chunk;
    const taken = Math.max(0, this.#position - from);
    try {
      open.settled = { model, from: from + taken, block: sliceBlock(block, taken, texts.length) };
      this.#done += texts.length - taken;
      this.#parts.call.onProgress?.({ done: this.#position + this.#done, total: this.#texts.textsRead });
    } catch (thrown) {
      return this.#fail(FarmError.from(thrown), true);
    }
    this.#watchIdle();
    this.#notify();
  }

  /** Has a part of a chunk sent where the consumer waits for it: at once when nothing else is on its way. */
  #hurry(): void {
    if (!this.#isAwaited || this.#carrier?.isResumable !== false) return;
    if (this.#carried === 0) {
      nextTurn(() => {
        if (this.#isAwaited && this.#carried === 0) this.#texts.flush();
      });
      return;
    }
    if (this.#silence || !this.#texts.hasPart) return;
    const { textsRead } = this.#texts;
    this.#silence = setTimeout(() => {
      this.#silence = undefined;
      if (this.#isAwaited && this.#texts.textsRead === textsRead) this.#texts.flush();
      else this.#hurry();
    }, SILENCE_MS);
  }

  /** No progress counts only while the consumer waits, and for a chunk: a slow source or consumer is no fault. */
  #watchIdle(): void {
    if (this.#parts.call.timeoutMs !== undefined) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    if (this.#isAwaited && this.#carried > 0) this.#expireIn(IDLE_TIMEOUT_MS);
  }

  #expireIn(timeoutMs: number): void {
    this.#deadline = setTimeout(() => {
      const late = new FarmError('deadline_exceeded', `the stream was not done within ${timeoutMs} ms`);
      const saying = this.#carrier?.deadlineFault() ?? Promise.resolve(late);
      void saying.then((error) => this.#fail(error, true));
    }, timeoutMs);
  }

  readonly #abort = (): void => {
    const { signal } = this.#parts.call;
    this.#fail(new FarmError('cancelled', 'the call was aborted', { cause: signal?.reason }), true);
  };

  /** What is on its way is dropped. What is done and in its turn is handed out first, unless `atOnce`. */
  #fail(thrown: unknown, atOnce: boolean): void {
    if (this.#hasEnded || this.#fault) return;
    this.#fault = { thrown, atOnce };
    this.#letGo(false);
    this.#notify();
  }

  #end(isDone: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#letGo(isDone);
    this.#notify();
  }

  #letGo(isDone: boolean): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#silence);
    this.#parts.call.signal?.removeEventListener('abort', this.#abort);
    this.#running.delete(this);
    this.#carrier?.end(isDone);
  }
}
