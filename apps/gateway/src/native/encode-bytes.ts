import type { AnyEmbeddings } from '@embedfarm/sdk';

/** All vectors one after the other, little-endian: a view. Every text has one. */
export function encodeBytes(embeddings: AnyEmbeddings): Buffer {
  const first = embeddings.bytesAt(0);
  const last = embeddings.bytesAt(embeddings.rows - 1);
  return Buffer.from(first.buffer, first.byteOffset, last.byteOffset + last.byteLength - first.byteOffset);
}
