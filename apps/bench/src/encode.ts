import { createHash } from 'node:crypto';
import type { Lane } from '@embedfarm/contract';
import type { Engine } from '@embedfarm/engine/engine';
import type { EmbeddingFarm } from '@embedfarm/sdk';

/** What a load needs to know of the vectors. */
export interface Encoded {
  /** Real tokens of all texts. */
  readonly tokens: number;
  /** SHA-256 of all rows, in order. */
  readonly digest: () => string;
}

/** Engine and farm alike, as a load sees them. */
export type Encode = (texts: readonly string[], lane: Lane) => Promise<Encoded>;

export function engineEncode(engine: Engine): Encode {
  return async (texts, lane) => {
    const { values, tokens, dimensions } = await engine.encode(texts, {}, { lane });
    const rows = texts.map((_, row) => values.subarray(row * dimensions, (row + 1) * dimensions));
    return { tokens: tokens.reduce((sum, length) => sum + length, 0), digest: () => digestOf(rows) };
  };
}

/** @param model needed where the farm serves several. */
export function farmEncode(farm: EmbeddingFarm, model?: string): Encode {
  return async (texts, lane) => {
    const embeddings = await farm.encode(texts, { lane, ...(model !== undefined && { model }) });
    return {
      tokens: embeddings.receipts.reduce((sum, { tokens }) => sum + tokens, 0),
      digest: () => digestOf(embeddings),
    };
  };
}

function digestOf(rows: Iterable<Float32Array>): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
  return hash.digest('hex');
}
