import { FarmError, type FloatBlock, type TextFailure } from '@embedfarm/contract';
import type { TokenizedText } from '../tokenize/tokenizer.ts';
import type { BatchedCall } from './batched-call.ts';
import { scaleRow } from './scale-row.ts';

/**
 * One call of `encode` on its way: a buffer that the batches' rows are copied into, and a count of the
 * texts that are still without an outcome. One promise for the call, none per text.
 */
export class EncodeCall implements BatchedCall {
  readonly #dimensions: number;
  readonly #normalize: boolean;
  readonly #values: Float32Array;
  readonly #tokens: Uint32Array;
  readonly #truncated: Uint8Array;
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

  constructor(texts: number, shape: { dimensions: number; normalize: boolean }, startedMs: number) {
    this.#dimensions = shape.dimensions;
    this.#normalize = shape.normalize;
    this.#values = new Float32Array(texts * shape.dimensions);
    this.#tokens = new Uint32Array(texts);
    this.#truncated = new Uint8Array(texts);
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

  tokenized(index: number, text: TokenizedText): void {
    if (text instanceof FarmError) {
      this.putFailure(index, text);
      return;
    }
    this.#tokens[index] = text.ids.length;
    this.#truncated[index] = text.truncated ? 1 : 0;
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
    const at = index * this.#dimensions;
    const target = this.#values.subarray(at, at + this.#dimensions);
    target.set(row.subarray(0, this.#dimensions));
    if (scaleRow(target, this.#normalize)) this.#count();
    else
      this.putFailure(
        index,
        new FarmError('internal', 'the model gave a vector with infinite or no numbers'),
      );
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

  toBlock(): FloatBlock {
    const texts = this.#tokens.length;
    const tokenizedMs = this.#tokenizedMs ?? this.#startedMs;
    const firstBatchMs = this.#firstBatchMs ?? tokenizedMs;
    return {
      dtype: 'float32',
      dimensions: this.#dimensions,
      values: this.#goodRows(),
      firstRows: this.#firstRows(),
      tokens: this.#tokens,
      truncated: this.#truncated,
      failures: groupFailures(this.#failed, texts),
      timing: {
        queueMs: 0,
        tokenizeMs: tokenizedMs - this.#startedMs,
        batchWaitMs: Math.max(0, firstBatchMs - tokenizedMs),
        deviceMs: Math.max(0, this.#lastBatchMs - firstBatchMs),
      },
    };
  }

  #firstRows(): Uint32Array {
    const firstRows = new Uint32Array(this.#tokens.length + 1);
    let row = 0;
    for (let index = 0; index < this.#tokens.length; index += 1) {
      firstRows[index] = row;
      if (!this.#failed.has(index)) row += 1;
    }
    firstRows[this.#tokens.length] = row;
    return firstRows;
  }

  /** The rows of failed texts are taken out. */
  #goodRows(): Float32Array {
    if (this.#failed.size === 0) return this.#values;
    const size = this.#dimensions;
    const rows = this.#tokens.length - this.#failed.size;
    const values = new Float32Array(rows * size);
    let row = 0;
    for (let index = 0; index < this.#tokens.length; index += 1) {
      if (this.#failed.has(index)) continue;
      values.set(this.#values.subarray(index * size, (index + 1) * size), row * size);
      row += 1;
    }
    return values;
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
