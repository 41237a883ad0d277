import type { AnyEmbeddings } from '@embedfarm/sdk';
import { embeddingOf } from './embedding-of.ts';

/**
 * `{ model, dimensions, dtype, embeddings, receipts, tokens?, timing, errors? }`, in pieces. A number is the value
 * itself written as a double, so reading it back gives the same bits. A text that failed is null, and in `errors`.
 */
export function* encodeJson(embeddings: AnyEmbeddings): Generator<string> {
  const { model, dtype, dimensions, receipts, tokens, timing, failures, rows } = embeddings;
  yield `{"model":${JSON.stringify(model)},"dimensions":${dimensions},"dtype":"${dtype}","embeddings":[`;
  for (let index = 0; index < rows; index += 1) {
    const row = embeddings.has(index) ? JSON.stringify(embeddingOf(embeddings, index)) : 'null';
    yield index === 0 ? row : `,${row}`;
  }
  yield `],"receipts":${JSON.stringify(receipts)}`;
  if (tokens !== undefined) yield `,"tokens":${JSON.stringify(tokens)}`;
  yield `,"timing":${JSON.stringify(timing)}`;
  if (failures.length > 0) yield `,"errors":${JSON.stringify(failures)}`;
  yield '}';
}
