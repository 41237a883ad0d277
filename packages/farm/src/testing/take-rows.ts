import type { EncodedChunk } from '../producer/producer-port.ts';

/** Index and vector, or the failure's message, of every row. */
export async function takeRows(chunks: AsyncIterable<EncodedChunk>): Promise<[number, number[] | string][]> {
  const rows: [number, number[] | string][] = [];
  for await (const chunk of chunks) rows.push(...rowsOf(chunk));
  return rows;
}

function rowsOf({ from, block }: EncodedChunk): [number, number[] | string][] {
  const { values, firstRows, dimensions, failures } = block;
  return Array.from(block.tokens, (_, at) => {
    const [row = 0, next = 0] = firstRows.subarray(at, at + 2);
    const failure = failures.find(({ texts }) => texts.includes(at));
    if (next === row) return [from + at, failure?.message ?? 'no vector and no reason'];
    return [from + at, Array.from(values.subarray(row * dimensions, next * dimensions))];
  });
}
