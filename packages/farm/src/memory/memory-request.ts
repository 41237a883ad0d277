import { failedBlock, type VectorBlock } from '@embedfarm/contract';
import type { SharedTerms } from '../producer/coalesce.ts';
import type { SubmitTerms } from '../producer/filling.ts';
import { SUBMITTED_RESULT_TTL_MS } from '../producer/submit.ts';
import type { GatheredChunk } from '../request/gather-chunks.ts';
import type { EncodedChunk } from '../request/request-chunks.ts';
import type { RequestRecord, RequestState } from '../request/request-record.ts';
import { sumCounts } from '../worker/sum-counts.ts';

interface MemoryChunk {
  readonly from: number;
  readonly gathered: GatheredChunk;
  block: VectorBlock | undefined;
  isConsumed: boolean;
}

/** A request that was submitted to a farm in memory: what its record says, and its chunks. */
export class MemoryRequest {
  readonly requestId: string;
  readonly terms: SharedTerms;
  readonly #clientId: string;
  readonly #submit: SubmitTerms;
  readonly #chunks: MemoryChunk[] = [];
  readonly #createdAtMs = Date.now();
  #waiters: (() => void)[] = [];
  #texts = 0;
  /** The chunk that is encoded next; those before it are done. */
  #next = 0;
  #counts = { textsDone: 0, textsFailed: 0, textsTruncated: 0, tokens: 0 };
  #isSealed = false;
  #isCancelled = false;
  #fault: string | undefined;
  #updatedAtMs = this.#createdAtMs;
  #startedAtMs: number | undefined;
  #endedAtMs: number | undefined;

  constructor(requestId: string, clientId: string, terms: SharedTerms, submit: SubmitTerms) {
    this.requestId = requestId;
    this.terms = terms;
    this.#clientId = clientId;
    this.#submit = submit;
  }

  /** Chunks to come after those that are there. */
  add(slice: readonly GatheredChunk[]): void {
    for (const gathered of slice) {
      this.#chunks.push({ from: this.#texts, gathered, block: undefined, isConsumed: false });
      this.#texts += gathered.texts.length;
    }
    this.#change();
  }

  /** No more will come; `fault` where that is too early. */
  seal(fault?: string): void {
    if (this.#isSealed) return;
    this.#isSealed = true;
    this.#fault = fault;
    this.#change();
  }

  cancel(): void {
    if (this.#endedAtMs !== undefined) return;
    this.#isCancelled = true;
    this.seal();
    this.#change();
  }

  /** The next chunk to encode; undefined where there is none, now or ever. */
  take(): GatheredChunk | undefined {
    if (this.#isCancelled) return undefined;
    const chunk = this.#chunks[this.#next];
    if (chunk) this.#startedAtMs ??= Date.now();
    return chunk?.gathered;
  }

  /** The block of the chunk that was taken. */
  put(block: VectorBlock): void {
    const chunk = this.#chunks[this.#next];
    if (!chunk || this.#isCancelled) return;
    chunk.block = block;
    this.#next += 1;
    const failed = sumCounts(block.failures.map(({ texts }) => texts.length));
    this.#counts.textsDone += block.tokens.length - failed;
    this.#counts.textsFailed += failed;
    this.#counts.textsTruncated += sumCounts(block.truncated);
    this.#counts.tokens += sumCounts(block.tokens);
    this.#change();
  }

  /**
   * The first chunk that can be read and is not among `given`; it is then. Chunks get done in order, and those that a
   * cancelled request never did are given as such.
   *
   * @returns 'consumed' for one that was read and deleted.
   */
  read(
    given: Set<number>,
    from: number,
  ): (Omit<EncodedChunk, 'model'> & { readonly index: number }) | 'consumed' | undefined {
    for (const [index, chunk] of this.#chunks.entries()) {
      if (given.has(index)) continue;
      const texts = chunk.gathered.texts.length;
      if (!chunk.block && !this.#isCancelled) return undefined;
      given.add(index);
      if (chunk.from + texts <= from) continue;
      if (chunk.isConsumed) return 'consumed';
      const block = chunk.block ?? failedBlock(texts, 'cancelled', 'the request was cancelled');
      return { index, from: chunk.from, block };
    }
    return undefined;
  }

  consume(index: number): void {
    const chunk = this.#chunks[index];
    if (chunk) chunk.isConsumed = true;
  }

  consumeAll(): void {
    for (const chunk of this.#chunks) chunk.isConsumed = true;
  }

  /** Resolves with the next change of the record. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  record(): RequestRecord {
    const { registration, lane, tenant } = this.terms;
    const { label, webhook, resultTtlMs = SUBMITTED_RESULT_TTL_MS } = this.#submit;
    const expiresAtMs = this.#endedAtMs === undefined ? undefined : this.#endedAtMs + resultTtlMs;
    return {
      requestId: this.requestId,
      state: this.#state(expiresAtMs),
      clientId: this.#clientId,
      tenant,
      model: registration.model,
      fingerprint: registration.fingerprint,
      lane,
      label,
      fault: this.#fault,
      texts: this.#texts,
      chunks: this.#chunks.length,
      chunksSettled: this.#isCancelled ? this.#chunks.length : this.#next,
      ...this.#counts,
      createdAtMs: this.#createdAtMs,
      startedAtMs: this.#startedAtMs,
      updatedAtMs: this.#updatedAtMs,
      endedAtMs: this.#endedAtMs,
      expiresAtMs,
      resultTtlMs,
      // It is not posted.
      ...(webhook === undefined ? {} : { webhook, webhookState: 'pending' as const }),
    };
  }

  #state(expiresAtMs = Infinity): RequestState {
    if (expiresAtMs <= Date.now()) return 'expired';
    if (this.#isCancelled) return 'cancelled';
    if (this.#endedAtMs === undefined) {
      if (!this.#isSealed) return 'filling';
      return this.#startedAtMs === undefined ? 'queued' : 'running';
    }
    if (this.#chunks.length > 0 && this.#chunks.every(({ isConsumed }) => isConsumed)) return 'expired';
    if (this.#fault !== undefined) return 'incomplete';
    return this.#counts.textsDone > 0 || this.#texts === 0 ? 'completed' : 'failed';
  }

  #change(): void {
    this.#updatedAtMs = Date.now();
    const isDone = this.#isCancelled || this.#next === this.#chunks.length;
    if (this.#isSealed && isDone) this.#endedAtMs ??= this.#updatedAtMs;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
