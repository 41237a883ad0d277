import type { ModelRegistration } from './device-report.ts';
import type { EncodeOptions } from './encode-request.ts';
import { FarmError } from './farm-error.ts';

/** A model as options are held against it; without its name where an engine has none. */
type Model = Omit<ModelRegistration, 'model'> & { readonly model?: string };

/**
 * Whether a model can do what is asked of it.
 *
 * @throws FarmError `invalid_argument` for more `dimensions` than it has, int8 of vectors that are not of length 1, a
 *   prompt that it does not have, and a prompt before lists of tokens.
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
  checkPrompt(options, model, name);
}

function checkPrompt(options: EncodeOptions, model: Model, name: string): void {
  const { prompt, promptName, tokens = false } = options;
  const { promptNames = [], defaultPromptName } = model;
  if (prompt === undefined && promptName !== undefined && !promptNames.includes(promptName)) {
    const known = promptNames.length === 0 ? 'none' : promptNames.join(', ');
    throw new FarmError(
      'invalid_argument',
      `promptName is "${promptName}", the prompts of ${name} are: ${known}`,
    );
  }
  const isPrompted = prompt === undefined ? (promptName ?? defaultPromptName) !== undefined : prompt !== '';
  if (tokens && isPrompted) {
    throw new FarmError(
      'invalid_argument',
      'texts that are lists of tokens take no prompt: ask for an empty one, and put its tokens into the lists',
    );
  }
}
