import { modelName } from '@embedfarm/checkpoint/model-name';
import type { Env } from '@embedfarm/service/env';

/**
 * The model that `encode` and `submit` ask for: its name, else the name that a worker gives to EMBEDFARM_MODEL;
 * `{}` where neither is set and the farm serves one.
 */
export function producerModel({ name, model }: Pick<Env, 'name' | 'model'>): { model?: string } {
  if (name !== undefined) return { model: name };
  return model === undefined ? {} : { model: modelName(model) };
}
