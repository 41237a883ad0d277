import type { FarmStatus, ModelStatus } from '@embedfarm/sdk';
import { MAX_TEI_TEXTS } from './tei-requests.ts';

/** A model in TEI's words. */
export function teiInfo(
  model: ModelStatus,
  { devices, workers }: FarmStatus,
  maxOpenRequests: number,
): unknown {
  const serving = new Set(
    workers.filter((worker) => worker.model === model.model).map(({ workerId }) => workerId),
  );
  const budgets = devices
    .filter(({ workerId }) => serving.has(workerId))
    .map(({ tokenBudget }) => tokenBudget);
  return {
    model_id: model.model,
    model_sha: model.fingerprint,
    model_dtype: model.dtype,
    model_type: { embedding: { pooling: model.pooling } },
    max_concurrent_requests: maxOpenRequests,
    max_input_length: model.maxSequenceLength,
    max_batch_tokens: Math.max(0, ...budgets),
    max_batch_requests: null,
    max_client_batch_size: MAX_TEI_TEXTS,
    auto_truncate: true,
    tokenization_workers: serving.size,
    version: 'embedfarm',
    sha: null,
    docker_label: null,
  };
}
