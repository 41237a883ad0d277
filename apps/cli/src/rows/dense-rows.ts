import { FarmError, rowBytes, type VectorDtype } from '@embedfarm/contract';
import type { AnyEmbeddings } from '@embedfarm/sdk';

/** A row of a text that failed: no number in floats, zeros in integers and bits. */
const FAILED_ELEMENT: Record<VectorDtype, readonly number[]> = {
  float32: [0x00, 0x00, 0xc0, 0x7f],
  float16: [0x00, 0x7e],
  int8: [0],
  binary: [0],
};

/**
 * Rows one after the other, little-endian, one a text. Failed texts before the first vector wait for it, since only
 * it tells how wide a row is.
 */
export class DenseRows {
  dtype: VectorDtype | undefined;
  dimensions = 0;
  /** Rows given out so far. */
  rows = 0;
  #failedBefore = 0;

  /** @throws FarmError `invalid_argument` for a model that gives a vector a token. */
  add(embeddings: AnyEmbeddings): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < embeddings.rows; at += 1) {
      const vectors = embeddings.rowsOf(at);
      if (vectors > 1) {
        throw new FarmError(
          'invalid_argument',
          'the model gives a vector a token: they fit --format jsonl alone',
        );
      }
      if (vectors === 0 && this.dtype === undefined) {
        this.#failedBefore += 1;
        continue;
      }
      if (this.dtype === undefined) {
        this.dtype = embeddings.dtype;
        this.dimensions = embeddings.dimensions;
        for (; this.#failedBefore > 0; this.#failedBefore -= 1) pieces.push(this.#failedRow());
      }
      pieces.push(vectors === 0 ? this.#failedRow() : embeddings.bytesAt(at));
    }
    const bytes = Buffer.concat(pieces);
    if (this.dtype !== undefined) this.rows += bytes.byteLength / rowBytes(this.dtype, this.dimensions);
    return bytes;
  }

  #failedRow(): Uint8Array {
    const dtype = this.dtype ?? 'float32';
    return Buffer.alloc(rowBytes(dtype, this.dimensions), Uint8Array.from(FAILED_ELEMENT[dtype]));
  }
}
