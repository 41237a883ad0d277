import { FarmError, type VectorDtype } from '@embedfarm/contract';
import type { EncodedChunk as FarmChunk } from '@embedfarm/farm/producer';
import { Embeddings, type EmbeddingsOf, type VectorOf } from './embeddings.ts';

/** The outcomes of consecutive texts of a request or stream. */
export interface EncodedChunk<Dtype extends VectorDtype = VectorDtype> {
  /** Index of the first of them. */
  readonly from: number;
  /** Its indices begin at 0 again. */
  readonly embeddings: EmbeddingsOf<Dtype>;
}

/** What became of one text: a vector, or an error. */
export type EncodedRow<Dtype extends VectorDtype = VectorDtype> = {
  /** Index of the text among all of its request or stream. */
  readonly index: number;
  /** Sequence length the device saw; 0 where the text failed before it had one. */
  readonly tokens: number;
  readonly truncated: boolean;
} & (
  | { readonly vector: VectorOf[Dtype]; readonly error: undefined }
  | { readonly vector: undefined; readonly error: FarmError }
);

export function toEncodedChunk<Dtype extends VectorDtype>(
  { from, block }: FarmChunk,
  model: string,
): EncodedChunk<Dtype> {
  const timing = { ...block.timing, totalMs: 0 };
  // Workers give the dtype that they are asked for.
  return { from, embeddings: Embeddings.from({ model, block, timing }) as EmbeddingsOf<Dtype> };
}

/** The rows of a chunk. Vectors are views on the chunk's own copy: keeping one keeps them all. */
export function* rowsOf<Dtype extends VectorDtype>({
  from,
  embeddings,
}: EncodedChunk<Dtype>): Generator<EncodedRow<Dtype>> {
  const failures = new Map(embeddings.failures.map((failure) => [failure.index, failure]));
  for (const [at, receipt] of embeddings.receipts.entries()) {
    const index = from + at;
    if (embeddings.has(at)) {
      yield { index, ...receipt, vector: embeddings.at(at) as VectorOf[Dtype], error: undefined };
      continue;
    }
    const { code, message } = failures.get(at) ?? { code: 'internal', message: 'no vector and no reason' };
    yield { index, ...receipt, vector: undefined, error: new FarmError(code, message) };
  }
}
