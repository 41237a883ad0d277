import type { EncodeOptions, EncodeText, ModelRegistration } from '@embedfarm/contract';
import { createHash } from 'node:crypto';

/** A change of what a preimage or an entry holds takes another number: old entries are not found then, and run out. */
const FORM = 1;

/**
 * The name of a text's entry under one model and one set of options: SHA-256 of its preimage, 43 letters of base64url.
 * All of its 256 bits, so that nobody finds two texts of one name, not even on purpose.
 */
export function cacheHasher(
  registration: ModelRegistration,
  options: EncodeOptions,
): (text: EncodeText) => string {
  const preimage = cachePreimage(registration, options);
  return (text) => createHash('sha256').update(preimage(text)).digest('base64url');
}

/**
 * All that decides a vector and what comes back with it, as text. Two lists in JSON one after the other: each shows by
 * itself where it ends, and a string never means a pair, a pair never a list of tokens. JSON escapes lone
 * surrogates, which in UTF-8 would all be one character.
 *
 * What is left out of the options stands as the model has it, so that asking for a default by name is asking
 * for the same.
 */
export function cachePreimage(
  { fingerprint, ...model }: ModelRegistration,
  options: EncodeOptions,
): (text: EncodeText) => string {
  const {
    normalize = model.normalize,
    dimensions = model.dimensions,
    dtype,
    truncate,
    tokens = false,
    promptName,
    prompt,
    returnTokens = false,
    ...others
  } = options;
  // An option that is new decides vectors too, and does not compile until it stands below.
  const none: { readonly [Name in keyof typeof others]: never } = others;
  void none;
  const terms = JSON.stringify([
    'embedfarm',
    FORM,
    fingerprint,
    normalize,
    dimensions,
    dtype,
    truncate,
    tokens,
    promptOf({ prompt, promptName: promptName ?? model.defaultPromptName }),
    returnTokens,
  ]);
  return (text) => `${terms}${JSON.stringify([text])}`;
}

/** The name of a prompt of the model stands for its text, which is in the fingerprint. */
function promptOf({
  prompt,
  promptName,
}: {
  prompt: string | undefined;
  promptName: string | undefined;
}): readonly string[] {
  if (prompt === undefined) return promptName === undefined ? [] : ['name', promptName];
  return prompt === '' ? [] : ['text', prompt];
}
