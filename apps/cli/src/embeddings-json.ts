import type { AnyEmbeddings } from '@embedfarm/sdk';

/**
 * One JSON object, in pieces, since the rows of a large call do not fit one string. A number is the float32
 * value itself written as a double, so reading it back gives the same bits; of `int8` and `binary` it is the
 * integer or the byte. A failed text is null.
 */
export function* embeddingsJson(embeddings: AnyEmbeddings): Generator<string> {
  const { model, dtype, dimensions, receipts, tokens, timing, failures, rows } = embeddings;
  yield `{"model":${JSON.stringify(model)},"dimensions":${dimensions},"dtype":"${dtype}","embeddings":[`;
  for (let index = 0; index < rows; index += 1) {
    const row = embeddings.has(index) ? JSON.stringify(Array.from(embeddings.at(index))) : 'null';
    yield index === 0 ? row : `,${row}`;
  }
  yield `],"receipts":${JSON.stringify(receipts)}`;
  if (tokens !== undefined) yield `,"tokens":${JSON.stringify(tokens)}`;
  yield `,"timing":${JSON.stringify(timing)}`;
  if (failures.length > 0) yield `,"errors":${JSON.stringify(failures)}`;
  yield '}\n';
}
