import type { Embeddings } from '@embedfarm/sdk';

/**
 * One JSON object, in pieces, since the rows of a large call do not fit one string. A number is the float32
 * value itself written as a double, so reading it back gives the same bits. A failed text is null.
 */
export function* embeddingsJson(embeddings: Embeddings): Generator<string> {
  const { model, dimensions, receipts, timing, failures, rows } = embeddings;
  yield `{"model":${JSON.stringify(model)},"dimensions":${dimensions},"embeddings":[`;
  for (let index = 0; index < rows; index += 1) {
    const row = embeddings.has(index) ? JSON.stringify(Array.from(embeddings.at(index))) : 'null';
    yield index === 0 ? row : `,${row}`;
  }
  yield `],"receipts":${JSON.stringify(receipts)},"timing":${JSON.stringify(timing)}`;
  if (failures.length > 0) yield `,"errors":${JSON.stringify(failures)}`;
  yield '}\n';
}
