import { FarmError } from '@embedfarm/contract';
import type { FarmStatus, ModelStatus } from '@embedfarm/sdk';

/**
 * The model of doors that name none: the one that the gateway was told, else the farm's only one.
 *
 * @throws FarmError `model_not_found`; `invalid_argument` where the farm serves several.
 */
export function servedModel({ models }: Pick<FarmStatus, 'models'>, name: string | undefined): ModelStatus {
  const found = name === undefined ? models : models.filter(({ model }) => model === name);
  const [first, ...others] = found;
  if (!first) {
    throw new FarmError(
      'model_not_found',
      name === undefined ? 'the farm has no model yet' : `the farm has no model "${name}"`,
    );
  }
  if (others.length === 0) return first;
  const names = found.map(({ model }) => model).join(', ');
  throw new FarmError(
    'invalid_argument',
    `the farm serves several models (${names}): start the gateway with --model`,
  );
}
