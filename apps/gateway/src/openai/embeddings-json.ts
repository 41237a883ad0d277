import type { Embeddings } from '@embedfarm/sdk';

export type EmbeddingFormat = 'float' | 'base64';

/** Vectors as the bytes of float32, and what they cost. */
export interface EmbeddingsAnswer {
  readonly vectors: Iterable<Uint8Array>;
  readonly model: string;
  readonly tokens: number;
}

/** The answer to a call in OpenAI's shape, in pieces. */
export function embeddingsJson(embeddings: Embeddings, format: EmbeddingFormat): Generator<string> {
  const { model, receipts } = embeddings;
  let tokens = 0;
  for (const receipt of receipts) tokens += receipt.tokens;
  return embeddingPieces({ vectors: bytesOf(embeddings), model, tokens }, format);
}

/**
 * The same of vectors from anywhere. A number is the float32 value itself written as a double, so reading it back gives
 * the same bits; base64 is of the little-endian bytes.
 */
export function* embeddingPieces(answer: EmbeddingsAnswer, format: EmbeddingFormat): Generator<string> {
  const { vectors, model, tokens } = answer;
  yield '{"object":"list","data":[';
  let index = 0;
  for (const vector of vectors) {
    const row = format === 'base64' ? `"${base64(vector)}"` : JSON.stringify(Array.from(floats(vector)));
    yield `${index === 0 ? '' : ','}{"object":"embedding","index":${index},"embedding":${row}}`;
    index += 1;
  }
  yield `],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`;
}

function* bytesOf(embeddings: Embeddings): Generator<Uint8Array> {
  for (let index = 0; index < embeddings.rows; index += 1) yield embeddings.bytesAt(index);
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function floats({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);
}
