import type { ModelRegistration } from '@embedfarm/contract';
import type { ModelSpec } from './model-spec.ts';

/** What a model registers in a farm, but for its name there. */
export type EngineRegistration = Omit<ModelRegistration, 'model'>;

export function registrationOf(spec: ModelSpec, fingerprint: string): EngineRegistration {
  const { dimensions, maxSequenceLength, pooling, normalize, dtype, meaningful } = spec;
  const { prompts, defaultPromptName } = spec.prompts;
  const promptNames = Object.keys(prompts);
  return {
    fingerprint,
    dimensions,
    maxSequenceLength,
    pooling,
    normalize,
    dtype,
    meaningful,
    ...(promptNames.length > 0 && { promptNames }),
    ...(defaultPromptName !== undefined && { defaultPromptName }),
  };
}
