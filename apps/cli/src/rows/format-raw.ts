import { DenseRows } from './dense-rows.ts';
import type { FormattedRows } from './formatted-rows.ts';

/** Nothing but the rows, little-endian: of float32 4 bytes a number. */
export function formatRaw(): FormattedRows {
  const dense = new DenseRows();
  return {
    add: (_, embeddings) => dense.add(embeddings),
    end: () => new Uint8Array(0),
    head: () => undefined,
  };
}
