import type { KeptBatch } from '@embedfarm/farm/batches';
import type { KeptFile } from '@embedfarm/farm/files';
import { hasEnded, readBatchRecord, type BatchRecord, type EndState } from './batch-record.ts';

/** A file in OpenAI's shape. */
export function fileJson({ id, filename, purpose, bytes, createdAtMs, expiresAtMs }: KeptFile): object {
  return {
    id,
    object: 'file',
    bytes,
    created_at: seconds(createdAtMs),
    expires_at: seconds(expiresAtMs),
    filename,
    purpose,
    status: 'processed',
    status_details: null,
  };
}

/** A batch in OpenAI's shape. */
export function batchJson(batch: KeptBatch): object {
  const record = readBatchRecord(batch);
  const { state, faults, counts, endedAtMs } = record;
  const isCancelling = batch.cancellingAtMs !== undefined && !hasEnded(record);
  const endOf = (end: EndState): number | null => (state === end ? secondsOrNull(endedAtMs) : null);
  const models = new Set(record.groups.map(({ model }) => model));
  const [model] = models;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: '/v1/embeddings',
    ...(models.size === 1 ? { model } : {}),
    errors: faults.length === 0 ? null : { object: 'list', data: faults },
    input_file_id: record.inputFileId,
    completion_window: record.completionWindow,
    status: isCancelling ? 'cancelling' : state,
    output_file_id: record.outputFileId ?? null,
    error_file_id: record.errorFileId ?? null,
    created_at: seconds(batch.createdAtMs),
    in_progress_at: secondsOrNull(record.inProgressAtMs),
    expires_at: seconds(batch.createdAtMs + record.windowMs),
    finalizing_at: secondsOrNull(record.finalizingAtMs),
    completed_at: endOf('completed'),
    failed_at: endOf('failed'),
    expired_at: endOf('expired'),
    cancelling_at: secondsOrNull(batch.cancellingAtMs),
    cancelled_at: endOf('cancelled'),
    request_counts: counts,
    ...usageOf(record),
    metadata: record.metadata,
  };
}

function usageOf(record: BatchRecord): object {
  if (!hasEnded(record) || record.state === 'failed') return {};
  const { tokens } = record;
  return {
    usage: {
      input_tokens: tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: tokens,
    },
  };
}

function secondsOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : seconds(ms);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
