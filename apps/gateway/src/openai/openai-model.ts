import type { ModelStatus } from '@embedfarm/sdk';

/**
 * A model in OpenAI's shape; what the farm knows beside it stands in `embedfarm`. When it was made is not known:
 * `created` is there as clients ask for it.
 */
export function openaiModel({
  model,
  fingerprint,
  dimensions,
  maxSequenceLength,
  workers,
}: ModelStatus): unknown {
  return {
    id: model,
    object: 'model',
    created: 0,
    owned_by: 'embedfarm',
    embedfarm: { fingerprint, dimensions, maxSequenceLength, workers },
  };
}
