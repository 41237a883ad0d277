import type { VectorDtype } from '@embedfarm/contract';
import { interruptible, type EncodedChunk } from '@embedfarm/farm/producer';
import { rowsOf, toEncodedChunk, type EncodedRow } from './encoded-row.ts';

/** The rows of a stream's chunks. To leave it leaves the chunks, also while the next one is waited for. */
export function streamRows<Dtype extends VectorDtype>(
  chunks: AsyncIterableIterator<EncodedChunk>,
): AsyncIterableIterator<EncodedRow<Dtype>> {
  return interruptible(readRows<Dtype>(chunks), () => void chunks.return?.().catch(() => undefined));
}

async function* readRows<Dtype extends VectorDtype>(
  chunks: AsyncIterableIterator<EncodedChunk>,
): AsyncGenerator<EncodedRow<Dtype>, void, undefined> {
  for await (const chunk of chunks) {
    for (const row of rowsOf(toEncodedChunk<Dtype>(chunk, chunk.model))) yield row;
  }
}
