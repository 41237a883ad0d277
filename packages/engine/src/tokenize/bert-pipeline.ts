import { z } from 'zod';

/** What decides the pieces of a text beside the vocabulary, where the pipeline is BERT's. */
export interface BertPipeline {
  readonly unknownToken: string;
  /** What marks a piece that goes on a word. */
  readonly continuing: string;
  /** A longer word is the unknown token. */
  readonly maxWordCharacters: number;
  readonly addedTokens: readonly AddedToken[];
}

/** A token that is looked for in the text itself. */
export interface AddedToken {
  readonly content: string;
  /** Looked for in the raw text, with nothing around it taken along. */
  readonly isPlain: boolean;
  /** Looked for in what the normalizer made of the text. */
  readonly normalized: boolean;
}

/** The pipeline of a tokenizer.json. @returns undefined where it is another one than BERT's. */
export function readBertPipeline(json: string): BertPipeline | undefined {
  // XLM-R's has 17 MB: not parsed for nothing.
  if (!json.includes('"WordPiece"')) return undefined;
  const { data } = pipelineSchema.safeParse(JSON.parse(json));
  return (
    data && {
      unknownToken: data.model.unk_token,
      continuing: data.model.continuing_subword_prefix,
      maxWordCharacters: data.model.max_input_chars_per_word,
      addedTokens: data.added_tokens.map(({ content, single_word, lstrip, rstrip, normalized }) => ({
        content,
        isPlain: !single_word && !lstrip && !rstrip && !normalized,
        normalized,
      })),
    }
  );
}

const pipelineSchema = z.object({
  normalizer: z.object({ type: z.literal('BertNormalizer') }),
  pre_tokenizer: z.object({ type: z.literal('BertPreTokenizer') }),
  model: z.object({
    type: z.literal('WordPiece'),
    unk_token: z.string(),
    continuing_subword_prefix: z.string(),
    max_input_chars_per_word: z.int().min(1).max(1_000),
  }),
  added_tokens: z.array(
    z.object({
      content: z.string().min(1),
      single_word: z.boolean(),
      lstrip: z.boolean(),
      rstrip: z.boolean(),
      normalized: z.boolean(),
    }),
  ),
});
