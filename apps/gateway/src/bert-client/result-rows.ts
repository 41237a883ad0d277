import { FarmError } from '@embedfarm/contract';
import type { AnyEmbeddings, Embeddings } from '@embedfarm/sdk';
import type { ResultArray } from './result-frames.ts';

const FLOAT_BYTES = 4;

/**
 * The rows of one result as they come in, slice by slice. Rows of texts that failed, or whose slice did, are NaN.
 *
 * Of a model that does not pool, each text has as many rows as the longest one, filled up with zeros.
 */
export class ResultRows {
  readonly #texts: number;
  readonly #maxBytes: number;
  readonly #slices: { readonly from: number; readonly embeddings: Embeddings }[] = [];
  readonly #tokens: (readonly string[])[] | undefined;
  #dimensions: number | undefined;
  #longest = 1;

  constructor(texts: number, { maxBytes, showTokens }: { maxBytes: number; showTokens: boolean }) {
    this.#texts = texts;
    this.#maxBytes = maxBytes;
    this.#tokens = showTokens ? Array.from({ length: texts }, () => []) : undefined;
  }

  /** @throws FarmError `invalid_argument` when the result grows longer than it may. */
  put(from: number, embeddings: AnyEmbeddings): void {
    if (embeddings.dtype !== 'float32') {
      throw new FarmError('internal', `vectors came as ${embeddings.dtype}, float32 was asked for`);
    }
    this.#slices.push({ from, embeddings });
    for (let at = 0; at < embeddings.rows; at += 1) {
      this.#longest = Math.max(this.#longest, embeddings.rowsOf(at));
      if (this.#tokens) this.#tokens[from + at] = embeddings.tokens?.[at] ?? [];
    }
    // A slice of which all texts failed has none.
    if (embeddings.dimensions > 0) this.#checkBytes((this.#dimensions ??= embeddings.dimensions));
  }

  /**
   * @param pooled whether each text has one row.
   * @param dimensions of the model, for a result without any row.
   */
  toArray({ pooled, dimensions }: { pooled: boolean; dimensions: number | undefined }): ResultArray {
    const width = this.#dimensions ?? dimensions;
    if (width === undefined) throw new FarmError('internal', 'no row, and the model is not known');
    this.#checkBytes(width);
    const stride = this.#longest * width;
    const values = this.#values(stride);
    return {
      shape: pooled ? [this.#texts, width] : [this.#texts, this.#longest, width],
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      tokens: this.#tokens,
    };
  }

  #values(stride: number): Float32Array {
    const values = new Float32Array(this.#texts * stride);
    const filled = new Uint8Array(this.#texts);
    for (const { from, embeddings } of this.#slices) {
      for (let at = 0; at < embeddings.rows; at += 1) {
        if (!embeddings.has(at)) continue;
        values.set(embeddings.at(at), (from + at) * stride);
        filled[from + at] = 1;
      }
    }
    for (let text = filled.indexOf(0); text >= 0; text = filled.indexOf(0, text + 1)) {
      values.fill(Number.NaN, text * stride, (text + 1) * stride);
    }
    return values;
  }

  #checkBytes(dimensions: number): void {
    const bytes = this.#texts * this.#longest * dimensions * FLOAT_BYTES;
    if (bytes <= this.#maxBytes) return;
    throw new FarmError('invalid_argument', `the result has ${bytes} bytes, limit is ${this.#maxBytes}`);
  }
}
