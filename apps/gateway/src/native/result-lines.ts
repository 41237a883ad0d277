import type { AnyEmbeddings, RequestHandle } from '@embedfarm/sdk';
import { embeddingOf } from './embedding-of.ts';

/**
 * A line a text, while the request runs: `{ index, embedding, tokens, truncated }`, with
 * `{ index, error: { code, message } }` for one that failed.
 */
export async function* resultLines(
  request: RequestHandle,
  { from, signal }: { from: number; signal: AbortSignal },
): AsyncGenerator<string> {
  for await (const chunk of request.chunks({ from, signal })) {
    const embeddings: AnyEmbeddings = chunk.embeddings;
    const failures = new Map(embeddings.failures.map(({ index, ...failure }) => [index, failure]));
    let lines = '';
    for (const [at, receipt] of embeddings.receipts.entries()) {
      const index = chunk.from + at;
      if (index < from) continue;
      const line = embeddings.has(at)
        ? { index, embedding: embeddingOf(embeddings, at), ...receipt }
        : { index, error: failures.get(at) ?? null };
      lines += `${JSON.stringify(line)}\n`;
    }
    yield lines;
  }
}
