import { basename, resolve } from 'node:path';
import { nameSchema } from '@embedfarm/contract';
import type { Env } from '@embedfarm/service/env';

/**
 * The model that `encode` and `submit` ask for: its name, else the name that a worker gives to EMBEDFARM_MODEL;
 * `{}` where neither is set and the farm serves one.
 */
export function producerModel({ name, model }: Pick<Env, 'name' | 'model'>): { model?: string } {
  if (name !== undefined) return { model: name };
  if (model === undefined) return {};
  return { model: nameSchema.safeParse(model).success ? model : basename(resolve(model)) };
}
