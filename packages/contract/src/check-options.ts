import type { ModelRegistration } from './device-report.ts';
import type { EncodeOptions } from './encode-request.ts';
import { FarmError } from './farm-error.ts';

/** A model as options are held against it; without its name where an engine has none. */
type Model = Omit<ModelRegistration, 'model'> & { readonly model?: string };

/**
 * Whether a model can do what is asked of it.
 *
 * @throws FarmError `invalid_argument` for more `dimensions` than it has, and for int8 of vectors that are not of
 *   length 1.
 */
export function checkOptions(options: EncodeOptions, model: Model): void {
  const name = model.model === undefined ? 'the model' : `the model "${model.model}"`;
  const { dimensions = model.dimensions, normalize = model.normalize, dtype } = options;
  if (dimensions > model.dimensions) {
    throw new FarmError('invalid_argument', `dimensions is ${dimensions}, ${name} has ${model.dimensions}`);
  }
  if (dtype === 'int8' && !normalize) {
    throw new FarmError(
      'invalid_argument',
      `dtype int8 is for vectors of length 1, those of ${name} are as they come: ask for normalize`,
    );
  }
}
