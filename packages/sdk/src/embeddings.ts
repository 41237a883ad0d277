import {
  FarmError,
  fromFloat16,
  rowBytes,
  type EncodeTiming,
  type FarmErrorCode,
  type Receipt,
  type VectorBlock,
  type VectorDtype,
} from '@embedfarm/contract';
import { failedTexts, type EncodedTexts, type FailedText } from '@embedfarm/farm/producer';

/** Where the time of a call went, in ms; `totalMs` is what the caller waited. */
export type Timing = EncodeTiming & { readonly totalMs: number };

/** What a vector is, by the dtype that was asked for: see the option `dtype` for what its numbers mean. */
export interface VectorOf {
  readonly float32: Float32Array;
  /** Read from its halves. */
  readonly float16: Float32Array;
  readonly int8: Int8Array;
  /** Eight dimensions a byte, the first in the highest bit. */
  readonly binary: Uint8Array;
}

/** Vectors of one dtype, or of one of several: to compare `dtype` tells which. */
export type EmbeddingsOf<Dtype extends VectorDtype> = Dtype extends VectorDtype ? Embeddings<Dtype> : never;

export type AnyEmbeddings = EmbeddingsOf<VectorDtype>;

/**
 * The vectors of a call, one a text (one a token where the model does not pool), in the order of the texts.
 *
 * Without a `dtype` in the call they are Float32Arrays.
 */
export class Embeddings<Dtype extends VectorDtype = 'float32'> implements Iterable<VectorOf[Dtype]> {
  /** The model's name in the farm. */
  readonly model: string;
  readonly dtype: Dtype;
  /** Number of texts. */
  readonly rows: number;
  /** Numbers of each vector; of `binary` the bits. */
  readonly dimensions: number;
  /** What each text cost. */
  readonly receipts: readonly Receipt[];
  /** Per text its tokens as the device saw them, where `returnTokens` asked for them; none for one that failed before. */
  readonly tokens: readonly (readonly string[])[] | undefined;
  readonly timing: Timing;
  /** Texts without a vector, by index; empty unless they were read from a submitted request. */
  readonly failures: readonly FailedText[];
  readonly #block: VectorBlock;
  readonly #values: VectorOf[VectorDtype];
  /** Elements of `#values` that make a vector. */
  readonly #width: number;

  private constructor({ model, block, timing }: EncodedTexts) {
    const { dtype, values, dimensions } = block;
    this.model = model;
    this.dtype = dtype as Dtype;
    this.rows = block.tokens.length;
    this.dimensions = dimensions;
    this.timing = timing;
    this.failures = failedTexts(block);
    this.receipts = Array.from(block.tokens, (tokens, index) => ({
      tokens,
      truncated: block.truncated[index] === 1,
    }));
    this.tokens = block.tokenLists;
    this.#block = block;
    this.#values = values instanceof Uint16Array ? fromFloat16(values) : values;
    this.#width = dtype === 'binary' ? rowBytes(dtype, dimensions) : dimensions;
  }

  static from(encoded: EncodedTexts): AnyEmbeddings {
    return new Embeddings<VectorDtype>(encoded) as AnyEmbeddings;
  }

  /**
   * The vector of text `index`: a view, shape `[dimensions]` (of `binary` `[ceil(dimensions / 8)]`); writing to it
   * changes this object. Of a model that does not pool, the vectors of its tokens, one after the other:
   * `[rowsOf(index) × dimensions]`.
   *
   * @throws FarmError of the text's own failure; `invalid_argument` when there is no such text.
   */
  at(index: number): VectorOf[Dtype] {
    const { from, to } = this.#placesOf(index);
    // The block holds what the call asked for.
    return this.#values.subarray(from, to) as VectorOf[Dtype];
  }

  /** The same as bytes to store: little-endian, `float16` in two bytes a number. A view. @throws as `at`. */
  bytesAt(index: number): Uint8Array {
    const { from, to } = this.#placesOf(index);
    const { buffer, byteOffset, BYTES_PER_ELEMENT: size } = this.#block.values;
    return new Uint8Array(buffer, byteOffset + from * size, (to - from) * size);
  }

  /** Whether text `index` has a vector. */
  has(index: number): boolean {
    return this.rowsOf(index) > 0;
  }

  /** Vectors of text `index`: 1, its tokens where the model does not pool, 0 where it failed. */
  rowsOf(index: number): number {
    if (!Number.isInteger(index)) return 0;
    return (this.#block.firstRows[index + 1] ?? 0) - (this.#block.firstRows[index] ?? 0);
  }

  /** Every vector, in the order of the texts. @throws as `at`, at the first text that failed. */
  *[Symbol.iterator](): Iterator<VectorOf[Dtype]> {
    for (let index = 0; index < this.rows; index += 1) yield this.at(index);
  }

  /** Copies, as plain numbers: of `int8` the integers, of `binary` the bytes. @throws as `at`, at the first text that failed. */
  toArrays(): number[][] {
    return Array.from(this, (vector) => Array.from(vector));
  }

  /** Where the vector begins and ends in the values. */
  #placesOf(index: number): { from: number; to: number } {
    if (!Number.isInteger(index) || index < 0 || index >= this.rows) {
      const asked = typeof index === 'number' ? index : `at ${typeof index}`;
      throw new FarmError('invalid_argument', `there is no text ${asked}, the last one is ${this.rows - 1}`);
    }
    const row = this.#block.firstRows[index] ?? 0;
    const nextRow = this.#block.firstRows[index + 1] ?? row;
    if (nextRow === row) {
      const { code, message } = this.#failureOf(index);
      throw new FarmError(code, message);
    }
    return { from: row * this.#width, to: nextRow * this.#width };
  }

  #failureOf(index: number): { code: FarmErrorCode; message: string } {
    const failure = this.failures.find((failed) => failed.index === index);
    return failure ?? { code: 'internal', message: `texts[${index}] has no vector and no reason` };
  }
}
