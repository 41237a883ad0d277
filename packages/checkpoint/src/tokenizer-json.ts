import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { readJsonFileIfAny } from './read-json-file.ts';

/** What a `tokenizer.json` says that other files of a model have to agree with. */
export interface TokenizerJson {
  /** Of a WordPiece, tokens by id; other kinds (byte-level BPE, Unigram) are more than a list of words. */
  readonly entries: readonly string[] | undefined;
  /** The ids end before it. */
  readonly tokens: number;
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
  const { vocab, isWordPiece } = json.model;
  return {
    entries: isWordPiece ? byId(file, new Map([...vocab, ...added])) : undefined,
    tokens: [...vocab, ...added].reduce((most, [, id]) => Math.max(most, id + 1), 0),
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
const modelSchema = z
  .object({ type: z.string().optional(), merges: z.unknown().optional(), vocab: z.unknown() })
  .transform(({ type, merges, vocab }) => ({
    // Files from before 2021 have no `type`: only BPE has merges then, and only Unigram a list.
    isWordPiece: type === undefined ? merges === undefined && !Array.isArray(vocab) : type === 'WordPiece',
    vocab: entriesOf(vocab),
  }))
  .pipe(
    z.object({
      isWordPiece: z.boolean(),
      vocab: z.array(z.tuple([z.string(), id]), 'must be an object or a list'),
    }),
  );
const tokenizerSchema = z.object({
  model: modelSchema,
  added_tokens: z.array(z.object({ content: z.string(), id })).default([]),
  normalizer: normalizerPart.extend({ normalizers: z.array(normalizerPart).optional() }).nullish(),
});

/** Unigram lists its pieces with their log probabilities; their places are their ids. */
function entriesOf(vocab: unknown): unknown {
  if (Array.isArray(vocab)) return vocab.map((piece: unknown, place) => [firstOf(piece), place]);
  return typeof vocab === 'object' && vocab !== null ? Object.entries(vocab) : undefined;
}

function firstOf(piece: unknown): unknown {
  return Array.isArray(piece) ? piece[0] : piece;
}
