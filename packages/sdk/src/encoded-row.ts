import { FarmError, type VectorDtype } from '@embedfarm/contract';
import type { EncodedChunk } from '@embedfarm/farm/producer';
import { Embeddings, type VectorOf } from './embeddings.ts';

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

/** The rows of a chunk. Vectors are views on the chunk's own copy: keeping one keeps them all. */
export function* rowsOf<Dtype extends VectorDtype>(
  { from, block }: EncodedChunk,
  model: string,
): Generator<EncodedRow<Dtype>> {
  const embeddings = Embeddings.from({
    model,
    block,
    timing: { ...block.timing, totalMs: 0 },
  }) as unknown as Embeddings<Dtype>;
  const failures = new Map(embeddings.failures.map((failure) => [failure.index, failure]));
  for (const [at, receipt] of embeddings.receipts.entries()) {
    const index = from + at;
    if (embeddings.has(at)) {
      yield { index, ...receipt, vector: embeddings.at(at), error: undefined };
      continue;
    }
    const { code, message } = failures.get(at) ?? { code: 'internal', message: 'no vector and no reason' };
    yield { index, ...receipt, vector: undefined, error: new FarmError(code, message) };
  }
}
