import {
  FarmError,
  quantizeRows,
  type TextFailure,
  type VectorBlock,
  type VectorDtype,
} from '@embedfarm/contract';
import type { TokenizedText } from '../tokenize/tokenizer.ts';
import type { BatchedCall } from './batched-call.ts';
import { openTextRows, type RowShape, type TextRows } from './text-rows.ts';

/**
 * One call of `encode` on its way: what the batches' rows are copied into, and a count of the
 * texts that are still without an outcome. One promise for the call, none per text.
 */
export class EncodeCall implements BatchedCall {
  readonly #dimensions: number;
  readonly #dtype: VectorDtype;
  readonly #rows: TextRows;
  readonly #tokens: Uint32Array;
  readonly #truncated: Uint8Array;
  readonly #tokenLists: (readonly string[])[] | undefined;
  readonly #failed = new Map<number, FarmError>();
  readonly #startedMs: number;
  readonly #settled: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: FarmError) => void = () => undefined;
  #pending: number;
  #isSettled = false;
  #tokenizedMs: number | undefined;
  #firstBatchMs: number | undefined;
  #lastBatchMs = 0;

  /** @param returnTokens whether `tokenized` is given them. */
  constructor(texts: number, shape: RowShape, startedMs: number, returnTokens = false) {
    this.#dimensions = shape.dimensions;
    this.#dtype = shape.dtype ?? 'float32';
    this.#rows = openTextRows(texts, shape);
    this.#tokens = new Uint32Array(texts);
    this.#truncated = new Uint8Array(texts);
    this.#tokenLists = returnTokens ? Array.from({ length: texts }, () => []) : undefined;
    this.#pending = texts;
    this.#startedMs = startedMs;
    this.#settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A call may be cancelled before anybody awaits it.
    this.#settled.catch(() => undefined);
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Resolves when every text has an outcome. @throws FarmError what `cancel` was given. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  tokenized(index: number, text: TokenizedText, tokens: readonly string[] = []): void {
    if (text instanceof FarmError) {
      this.putFailure(index, text);
      return;
    }
    this.#tokens[index] = text.ids.length;
    this.#truncated[index] = text.truncated ? 1 : 0;
    if (this.#tokenLists) this.#tokenLists[index] = tokens;
  }

  allTokenized(nowMs: number): void {
    this.#tokenizedMs = nowMs;
  }

  batchRan(beginMs: number, endMs: number): void {
    this.#firstBatchMs = Math.min(this.#firstBatchMs ?? beginMs, beginMs);
    this.#lastBatchMs = endMs;
  }

  putRow(index: number, row: Float32Array): void {
    if (this.#isSettled) return;
    const fault = this.#rows.put(index, row);
    if (fault) this.putFailure(index, fault);
    else this.#count();
  }

  putFailure(index: number, error: FarmError): void {
    if (this.#isSettled) return;
    this.#failed.set(index, error);
    this.#count();
  }

  cancel(error: FarmError): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#reject(error);
  }

  #count(): void {
    this.#pending -= 1;
    if (this.#pending > 0) return;
    this.#isSettled = true;
    this.#resolve();
  }

  toBlock(): VectorBlock {
    const { values, firstRows } = this.#rows.join(this.#failed);
    const texts = this.#tokens.length;
    const tokenizedMs = this.#tokenizedMs ?? this.#startedMs;
    const firstBatchMs = this.#firstBatchMs ?? tokenizedMs;
    return {
      dtype: this.#dtype,
      dimensions: this.#dimensions,
      values: quantizeRows(values, this.#dimensions, this.#dtype),
      firstRows,
      tokens: this.#tokens,
      truncated: this.#truncated,
      failures: groupFailures(this.#failed, texts),
      ...(this.#tokenLists ? { tokenLists: this.#tokenLists } : {}),
      timing: {
        queueMs: 0,
        tokenizeMs: tokenizedMs - this.#startedMs,
        batchWaitMs: Math.max(0, firstBatchMs - tokenizedMs),
        deviceMs: Math.max(0, this.#lastBatchMs - firstBatchMs),
      },
    };
  }
}

/** Texts that failed for the same reason share an entry. */
function groupFailures(failed: ReadonlyMap<number, FarmError>, texts: number): TextFailure[] {
  const groups = new Map<string, { code: FarmError['code']; message: string; texts: number[] }>();
  for (let index = 0; index < texts && failed.size > 0; index += 1) {
    const error = failed.get(index);
    if (!error) continue;
    const group = groups.get(error.message) ?? { code: error.code, message: error.detail, texts: [] };
    group.texts.push(index);
    groups.set(error.message, group);
  }
  return [...groups.values()];
}
