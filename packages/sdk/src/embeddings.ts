import {
  FarmError,
  type EncodeTiming,
  type FarmErrorCode,
  type Receipt,
  type VectorBlock,
} from '@embedfarm/contract';
import { failedTexts, type EncodedTexts, type FailedText } from '@embedfarm/farm/producer';

/** Where the time of a call went, in ms; `totalMs` is what the caller waited. */
export type Timing = EncodeTiming & { readonly totalMs: number };

/** The vectors of a call, one a text (one a token where the model does not pool), in the order of the texts. */
export class Embeddings implements Iterable<Float32Array> {
  /** The model's name in the farm. */
  readonly model: string;
  /** Number of texts. */
  readonly rows: number;
  /** Length of each vector. */
  readonly dimensions: number;
  /** What each text cost. */
  readonly receipts: readonly Receipt[];
  readonly timing: Timing;
  /** Texts without a vector, by index; empty unless they were read from a submitted request. */
  readonly failures: readonly FailedText[];
  readonly #block: VectorBlock;
  readonly #values: Float32Array;

  private constructor({ model, block, timing }: EncodedTexts, values: Float32Array) {
    this.model = model;
    this.rows = block.tokens.length;
    this.dimensions = block.dimensions;
    this.timing = timing;
    this.failures = failedTexts(block);
    this.receipts = Array.from(block.tokens, (tokens, index) => ({
      tokens,
      truncated: block.truncated[index] === 1,
    }));
    this.#block = block;
    this.#values = values;
  }

  static from(encoded: EncodedTexts): Embeddings {
    const { dtype, values } = encoded.block;
    if (!(values instanceof Float32Array)) {
      throw new FarmError('internal', `vectors came as ${dtype}, this SDK reads float32`);
    }
    return new Embeddings(encoded, values);
  }

  /**
   * The vector of text `index`: a view, shape `[dimensions]`; writing to it changes this object. Of a model
   * that does not pool, the vectors of its tokens, one after the other: `[rowsOf(index) × dimensions]`.
   *
   * @throws FarmError of the text's own failure; `invalid_argument` when there is no such text.
   */
  at(index: number): Float32Array {
    if (!Number.isInteger(index) || index < 0 || index >= this.rows) {
      throw new FarmError('invalid_argument', `there is no text ${index}, the last one is ${this.rows - 1}`);
    }
    const row = this.#block.firstRows[index] ?? 0;
    const nextRow = this.#block.firstRows[index + 1] ?? row;
    if (nextRow === row) {
      const { code, message } = this.#failureOf(index);
      throw new FarmError(code, message);
    }
    return this.#values.subarray(row * this.dimensions, nextRow * this.dimensions);
  }

  /** Whether text `index` has a vector. */
  has(index: number): boolean {
    return this.rowsOf(index) > 0;
  }

  /** Vectors of text `index`: 1, its tokens where the model does not pool, 0 where it failed. */
  rowsOf(index: number): number {
    return (this.#block.firstRows[index + 1] ?? 0) - (this.#block.firstRows[index] ?? 0);
  }

  /** Every vector, in the order of the texts. @throws as `at`, at the first text that failed. */
  *[Symbol.iterator](): Iterator<Float32Array> {
    for (let index = 0; index < this.rows; index += 1) yield this.at(index);
  }

  /** Copies, as plain numbers. @throws as `at`, at the first text that failed. */
  toArrays(): number[][] {
    return Array.from(this, (vector) => Array.from(vector));
  }

  #failureOf(index: number): { code: FarmErrorCode; message: string } {
    const failure = this.failures.find((failed) => failed.index === index);
    return failure ?? { code: 'internal', message: `texts[${index}] has no vector and no reason` };
  }
}
