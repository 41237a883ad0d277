import { FarmError } from '@embedfarm/contract';
import type { AnyEmbeddings, EncodedChunk, RequestHandle } from '@embedfarm/sdk';
import { oneVectorEach } from '../http/one-vector-each.ts';
import type { ByteRange } from './byte-range.ts';
import { npyLayout, type NpyLayout } from './npy-layout.ts';

/** How the vectors of an ended request lie in a .npy; the first of them tells how wide it is. */
export async function findLayout(
  request: RequestHandle,
  texts: number,
  signal: AbortSignal,
): Promise<NpyLayout> {
  for await (const { embeddings } of request.chunks({ signal })) {
    if (embeddings.failures.length === embeddings.rows) continue;
    oneVectorEach(embeddings);
    return npyLayout(embeddings.dtype, texts, embeddings.dimensions);
  }
  throw new FarmError('invalid_argument', 'no text of the request has a vector: ask for format=jsonl');
}

/** Some bytes of it, of which only the rows that they lie in are read. */
export async function* npyBytes(
  request: RequestHandle,
  layout: NpyLayout,
  { first, last }: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { header, rowBytes } = layout;
  if (first < header.length) yield header.subarray(first, last + 1);
  if (last < header.length) return;
  const from = Math.max(0, Math.floor((first - header.length) / rowBytes));
  for await (const chunk of request.chunks({ signal, from })) {
    const beginsAt = header.length + chunk.from * rowBytes;
    const bytes = chunkBytes(chunk, layout);
    const [begin, end] = [Math.max(0, first - beginsAt), last + 1 - beginsAt];
    if (begin < bytes.length) yield bytes.subarray(begin, end);
    if (end <= bytes.length) return;
  }
}

function chunkBytes({ embeddings }: EncodedChunk, { failedRow }: NpyLayout): Uint8Array {
  const all: AnyEmbeddings = embeddings;
  return Buffer.concat(
    Array.from({ length: all.rows }, (_, index) => (all.has(index) ? all.bytesAt(index) : failedRow)),
  );
}
