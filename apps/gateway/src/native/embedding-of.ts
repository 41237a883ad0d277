import type { AnyEmbeddings } from '@embedfarm/sdk';

/** A text's vector as numbers; of a model that does not pool, a vector a token. */
export function embeddingOf(embeddings: AnyEmbeddings, index: number): number[] | number[][] {
  const values = Array.from(embeddings.at(index));
  const rows = embeddings.rowsOf(index);
  if (rows === 1) return values;
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}
