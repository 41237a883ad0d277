import type { Embeddings } from '@embedfarm/sdk';

/**
 * The answer in OpenAI's shape, in pieces. A number is the float32 value itself written as a double, so reading it back
 * gives the same bits; base64 is of the little-endian bytes.
 */
export function* embeddingsJson(embeddings: Embeddings, format: 'float' | 'base64'): Generator<string> {
  const { rows, model, receipts } = embeddings;
  let tokens = 0;
  for (const receipt of receipts) tokens += receipt.tokens;
  yield '{"object":"list","data":[';
  for (let index = 0; index < rows; index += 1) {
    const row =
      format === 'base64'
        ? `"${base64(embeddings.bytesAt(index))}"`
        : JSON.stringify(Array.from(embeddings.at(index)));
    yield `${index === 0 ? '' : ','}{"object":"embedding","index":${index},"embedding":${row}}`;
  }
  yield `],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`;
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
