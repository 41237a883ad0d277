import { FarmError } from '@embedfarm/contract';
import type { KeptFile } from '@embedfarm/farm/files';
import type { BatchPorts } from './batch-hand.ts';
import { readBatchRecord } from './batch-record.ts';
import { sourceOf } from './send-file.ts';

/** The results of a batch go with the last file that is made of them. */
export async function dropOutput(file: KeptFile, { batches, files, link }: BatchPorts): Promise<void> {
  if (file.source === undefined) return;
  const batch = await batches.find(file.owner, sourceOf(file).batchId);
  if (!batch) return;
  const { groups, outputFileId, errorFileId } = readBatchRecord(batch);
  for (const id of [outputFileId, errorFileId]) {
    if (id !== undefined && (await files.find(file.owner, id))) return;
  }
  const farm = await link.farm();
  for (const { requestId } of groups) {
    if (requestId === undefined) continue;
    await farm
      .request(requestId)
      .discard()
      .catch((thrown: unknown) => {
        if (FarmError.from(thrown).code !== 'result_expired') throw thrown;
      });
  }
}
