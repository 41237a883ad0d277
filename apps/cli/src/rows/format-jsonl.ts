import type { AnyEmbeddings } from '@embedfarm/sdk';
import type { FormattedRows } from './formatted-rows.ts';

/**
 * A line a text: `{ index, embedding, tokens, truncated }`, with `{ index, error: { code, message } }` for one that
 * failed. A number is the float32 value itself written as a double, so reading it back gives the same bits. A model
 * that does not pool has a list of vectors as `embedding`.
 */
export function formatJsonl(): FormattedRows {
  return {
    add: (from, embeddings) => {
      const failures = new Map(embeddings.failures.map(({ index, ...failure }) => [index, failure]));
      const lines = embeddings.receipts.map((receipt, at) => {
        const index = from + at;
        if (!embeddings.has(at)) return JSON.stringify({ index, error: failures.get(at) ?? null });
        return JSON.stringify({ index, embedding: embeddingOf(embeddings, at), ...receipt });
      });
      return Buffer.from(lines.map((line) => `${line}\n`).join(''));
    },
    end: () => new Uint8Array(0),
    head: () => undefined,
  };
}

function embeddingOf(embeddings: AnyEmbeddings, at: number): number[] | number[][] {
  const values = Array.from(embeddings.at(at));
  const rows = embeddings.rowsOf(at);
  if (rows === 1) return values;
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}
