import { FarmError } from '@embedfarm/contract';
import type { AnyEmbeddings } from '@embedfarm/sdk';

/** @throws FarmError `invalid_argument` where the model gives a vector a token, and an answer has no place for them. */
export function oneVectorEach(embeddings: AnyEmbeddings): void {
  for (let index = 0; index < embeddings.rows; index += 1) {
    if (embeddings.rowsOf(index) <= 1) continue;
    throw new FarmError(
      'invalid_argument',
      `the model "${embeddings.model}" gives a vector a token, which fit POST /encode and POST /embed_all alone`,
    );
  }
}
