import type { EmbeddingFarm } from '@embedfarm/sdk';
import type { BatchHand } from './batch-hand.ts';
import { renderBatch } from './render-batch.ts';

/** Output and errors are files that are made when they are read: their source says of which batch, and which. */
export type OutputKind = 'output' | 'error';

/** Reads all that has come of a batch once, to say how much it is. Nothing of it is kept a second time. */
export async function finalizeBatch(hand: BatchHand, farm: EmbeddingFarm): Promise<'ended'> {
  const { batch, record, signal } = hand;
  const bytes = { output: 0, error: 0 };
  const lines = { output: 0, error: 0 };
  let tokens = 0;
  const { batches } = hand.ports;
  for await (const line of renderBatch(record, { batches, farm, batchId: batch.id, signal })) {
    lines[line.kind] += 1;
    tokens += line.tokens;
    for (const piece of line.pieces) bytes[line.kind] += Buffer.byteLength(piece);
  }
  const put = async (kind: OutputKind): Promise<string | undefined> => {
    if (lines[kind] === 0) return undefined;
    const { id } = await hand.files.putMade({
      owner: hand.owner,
      filename: `${batch.id}_${kind}.jsonl`,
      purpose: 'batch_output',
      ttlMs: record.outputTtlMs,
      bytes: bytes[kind],
      source: `${kind}:${batch.id}`,
    });
    return id;
  };
  hand.change({
    state: record.end,
    endedAtMs: batch.nowMs,
    counts: { total: record.counts.total, completed: lines.output, failed: lines.error },
    tokens,
    outputFileId: await put('output'),
    errorFileId: await put('error'),
  });
  return 'ended';
}
