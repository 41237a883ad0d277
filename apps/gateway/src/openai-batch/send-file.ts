import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FarmError } from '@embedfarm/contract';
import type { KeptFile } from '@embedfarm/farm/files';
import type { Request, Response } from 'express';
import { callOf } from '../http/call.ts';
import type { BatchPorts } from './batch-hand.ts';
import { readBatchRecord } from './batch-record.ts';
import { renderBatch } from './render-batch.ts';

/** The bytes of a file: as they came, or made of what the farm has stored. No faster than they are taken. */
export async function sendFile(
  request: Request,
  response: Response,
  file: KeptFile,
  ports: BatchPorts,
): Promise<void> {
  const { signal } = callOf(response);
  response.set({ 'Content-Type': 'application/octet-stream', 'Content-Length': String(file.bytes) });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const pieces = file.source === undefined ? ports.files.slices(file, signal) : made(file, ports, signal);
  // A fault before the first piece still has its own answer.
  const first = await pieces.next().catch((thrown: unknown) => {
    response.removeHeader('Content-Length');
    throw thrown;
  });
  const all = async function* (): AsyncGenerator<string | Uint8Array> {
    if (first.done === true) return;
    yield first.value;
    yield* pieces;
  };
  await pipeline(Readable.from(all()), response);
}

async function* made(file: KeptFile, ports: BatchPorts, signal: AbortSignal): AsyncGenerator<string> {
  const { kind, batchId } = sourceOf(file);
  const batch = await ports.batches.find(file.owner, batchId);
  if (!batch) throw new FarmError('result_expired', `the batch ${batchId} is gone`);
  const farm = await ports.link.farm(signal);
  const { batches } = ports;
  for await (const line of renderBatch(readBatchRecord(batch), { batches, farm, batchId, signal })) {
    if (line.kind === kind) yield* line.pieces;
  }
}

/** What a file is made of. */
export function sourceOf({ source = '' }: KeptFile): { kind: string; batchId: string } {
  const [kind = '', batchId = ''] = source.split(':');
  return { kind, batchId };
}
