import type { AnyEmbeddings } from '@embedfarm/sdk';

/** Vectors as bytes, piece by piece. */
export interface FormattedRows {
  /** Bytes of the next texts. @throws FarmError `invalid_argument` for vectors that the format has no place for. */
  add(from: number, embeddings: AnyEmbeddings): Uint8Array;
  /** What stands at the end. */
  end(): Uint8Array;
  /** What the file begins with, known at its end: as many bytes as `add` and `end` have left free for it. */
  head(): Uint8Array | undefined;
}
