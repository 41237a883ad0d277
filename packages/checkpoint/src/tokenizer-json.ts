import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { readJsonFileIfAny } from './read-json-file.ts';

/** What a `tokenizer.json` says that other files of a model have to agree with. */
export interface TokenizerJson {
  /** Tokens by id. */
  readonly entries: readonly string[];
  readonly lowercase: boolean;
}

// One of 500,000 tokens, the largest of any BERT, has about 20 MB.
const MAX_TOKENIZER_BYTES = 1 << 25;

/**
 * @returns undefined where there is no such file.
 * @throws FarmError `invalid_argument` naming the file and what is broken in it.
 */
export function readTokenizerJson(file: string): TokenizerJson | undefined {
  const json = readJsonFileIfAny(file, tokenizerSchema, MAX_TOKENIZER_BYTES);
  if (!json) return undefined;
  const added = json.added_tokens.map(({ content, id }): [string, number] => [content, id]);
  const parts = [json.normalizer, ...(json.normalizer?.normalizers ?? [])];
  return {
    entries: byId(file, new Map([...json.model.vocab, ...added])),
    lowercase: parts.some((part) => part?.type === 'Lowercase' || part?.lowercase === true),
  };
}

function byId(file: string, ids: ReadonlyMap<string, number>): string[] {
  const entries: string[] = Array.from({ length: ids.size });
  for (const [token, id] of ids) {
    if (id >= ids.size || entries[id] !== undefined) {
      throw new FarmError(
        'invalid_argument',
        `${file}: its ${ids.size} tokens do not have the ids 0 to ${ids.size - 1}, ${token} has ${id}`,
      );
    }
    entries[id] = token;
  }
  return entries;
}

const id = z.int().min(0);
const normalizerPart = z.object({ type: z.string(), lowercase: z.boolean().optional() });
const tokenizerSchema = z.object({
  model: z.object({
    vocab: z
      .custom<object>((value) => typeof value === 'object' && value !== null, 'must be an object')
      .transform((vocab) => Object.entries(vocab))
      .pipe(z.array(z.tuple([z.string(), id]))),
  }),
  added_tokens: z.array(z.object({ content: z.string(), id })).default([]),
  normalizer: normalizerPart.extend({ normalizers: z.array(normalizerPart).optional() }).nullish(),
});
