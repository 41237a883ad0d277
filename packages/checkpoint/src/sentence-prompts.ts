import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { readJsonFileIfAny } from './read-json-file.ts';

/** Texts that go before others, as a model was trained with them. */
export interface SentencePrompts {
  /** By name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The name of the one that goes before every text where nothing else is asked for. */
  readonly defaultPromptName: string | undefined;
}

/** Where sentence-transformers keeps them. */
export const PROMPTS_FILE = 'config_sentence_transformers.json';

/**
 * The prompts of a directory; none where it has no such file.
 *
 * @throws FarmError `invalid_argument` naming the file, for what is broken in it, and for a default that is not among
 *   the prompts.
 *
 * Source: https://sbert.net/examples/sentence_transformer/applications/computing-embeddings/README.html#prompt-templates
 */
export function readSentencePrompts(directory: string): SentencePrompts {
  const file = join(directory, PROMPTS_FILE);
  const config = readJsonFileIfAny(file, promptsSchema);
  const prompts = config?.prompts ?? {};
  const defaultPromptName = config?.default_prompt_name ?? undefined;
  if (defaultPromptName === undefined || Object.hasOwn(prompts, defaultPromptName)) {
    return { prompts, defaultPromptName };
  }
  const names = Object.keys(prompts).join(', ') || 'none';
  throw new FarmError(
    'invalid_argument',
    `${file}: default_prompt_name is ${defaultPromptName}, the prompts are: ${names}`,
  );
}

const promptsSchema = z.object({
  prompts: z.record(z.string(), z.string()).nullish(),
  default_prompt_name: z.string().nullish(),
});
