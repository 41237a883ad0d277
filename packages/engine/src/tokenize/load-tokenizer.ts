import { readFile } from 'node:fs/promises';
import { readTokenizerJson as tokenizerOnDisk } from '@embedfarm/checkpoint/tokenizer-json';
import { FarmError, parseOptions } from '@embedfarm/contract';
import type * as Tokenizers from 'tokenizers';
import { z } from 'zod';
import { parseJson } from '../model/model-files.ts';
import type { ModelSpec } from '../model/model-spec.ts';
import { checkTokenizerJson } from './check-tokenizer-json.ts';

type Library = typeof Tokenizers;
type Tokenizer = Tokenizers.Tokenizer;

/**
 * The tokenizer of the model's files, without truncation or padding of its own.
 *
 * @throws FarmError `invalid_argument` naming the file that is broken, or whose vocabulary goes beyond the
 *   model's.
 */
export async function loadTokenizer({
  files,
  casing,
  lowercaseWish,
  lowercaseFirst,
  vocabularySize,
}: ModelSpec): Promise<Tokenizer> {
  const { kind, path } = files.tokenizer;
  // Its own threads would take the cores of the devices. It reads this when it encodes.
  process.env['TOKENIZERS_PARALLELISM'] ??= 'false';
  const tokenizers = (await import('tokenizers')).default as Library;
  const tokenizer =
    kind === 'json'
      ? parseTokenizerJson(tokenizers, path, await readTokenizerJson(path, lowercaseWish, lowercaseFirst))
      : buildWordPiece(tokenizers, path, parseVocabulary(await readFile(path, 'utf8')), casing);
  // all-MiniLM's tokenizer.json cuts to 128 tokens and pads to 128.
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  const entries = tokenizer.getVocabSize(true);
  if (entries > vocabularySize) {
    throw new FarmError(
      'invalid_argument',
      `${path} holds ${entries} tokens, the model of config.json has ${vocabularySize}`,
    );
  }
  const last = Object.values(tokenizer.getVocab(true)).reduce((most, id) => Math.max(most, id), 0);
  if (last >= vocabularySize) {
    throw new FarmError(
      'invalid_argument',
      `${path} goes up to token id ${last}, the model of config.json ends at ${vocabularySize - 1}`,
    );
  }
  return tokenizer;
}

/** @throws FarmError `invalid_argument` where the wish cannot be had: only BERT's normalizer has a casing. */
async function readTokenizerJson(
  path: string,
  lowercase: boolean | undefined,
  lowercaseFirst: boolean,
): Promise<string> {
  const json = await readFile(path, 'utf8');
  if (lowercaseFirst) return withLowercaseFirst(path, json);
  if (lowercase === undefined) return json;
  const tokenizer = parseOptions(path, anyTokenizerSchema, parseJson(path, json));
  if (tokenizer.normalizer?.type !== 'BertNormalizer') {
    requireCasing(path, lowercase);
    return json;
  }
  // As in Google's BERT: accents go where capitals do.
  const normalizer = { ...tokenizer.normalizer, lowercase, strip_accents: lowercase };
  return JSON.stringify({ ...tokenizer, normalizer });
}

/**
 * A normalizer that makes texts lower case, before all else that there is. BERT's own does it as well, with accents
 * left as they were.
 *
 * Source: https://github.com/UKPLab/sentence-transformers, base/modules/transformer.py, `do_lower_case`.
 */
function withLowercaseFirst(path: string, json: string): string {
  const tokenizer = parseOptions(path, anyTokenizerSchema, parseJson(path, json));
  const { normalizer } = tokenizer;
  if (normalizer?.type !== 'BertNormalizer') {
    const normalizers = [{ type: 'Lowercase' }, ...(normalizer ? [normalizer] : [])];
    return JSON.stringify({ ...tokenizer, normalizer: { type: 'Sequence', normalizers } });
  }
  // Without a word on accents they go where capitals do.
  const strip_accents = normalizer['strip_accents'] ?? normalizer['lowercase'] ?? true;
  return JSON.stringify({ ...tokenizer, normalizer: { ...normalizer, lowercase: true, strip_accents } });
}

const anyTokenizerSchema = z.looseObject({ normalizer: z.looseObject({ type: z.string() }).nullish() });

/** Other normalizers are taken as they are, where that is what is wished. */
function requireCasing(path: string, lowercase: boolean): void {
  const own = tokenizerOnDisk(path)?.lowercase;
  if (own === lowercase) return;
  throw new FarmError(
    'invalid_argument',
    `lowercase is ${lowercase}, but ${path} has ${own}, and no BertNormalizer that could be told otherwise`,
  );
}

function parseTokenizerJson(tokenizers: Library, path: string, json: string): Tokenizer {
  checkTokenizerJson(path, parseJson(path, json));
  try {
    return tokenizers.Tokenizer.fromString(json);
  } catch (cause) {
    throw new FarmError('invalid_argument', `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** One token a line, its number is its id. The last line may lack its end, and lines may end in CRLF. */
export function parseVocabulary(text: string): Map<string, number> {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop();
  return new Map(lines.map((token, id) => [token, id]));
}

const NEEDED_TOKENS = ['[UNK]', '[CLS]', '[SEP]'];
export const SPECIAL_TOKENS = ['[PAD]', ...NEEDED_TOKENS, '[MASK]'];

/**
 * BERT's tokenizer as Hugging Face builds it from a vocab.txt.
 *
 * Source: https://github.com/huggingface/transformers, convert_slow_tokenizer.py, BertConverter.
 */
function buildWordPiece(
  tokenizers: Library,
  path: string,
  vocabulary: ReadonlyMap<string, number>,
  casing: ModelSpec['casing'],
): Tokenizer {
  const idOf = (token: string): number => {
    const id = vocabulary.get(token);
    if (id === undefined) throw new FarmError('invalid_argument', `${path} has no ${token}`);
    return id;
  };
  for (const token of NEEDED_TOKENS) idOf(token);
  const model = tokenizers.WordPiece.init(Object.fromEntries(vocabulary), {
    unkToken: '[UNK]',
    maxInputCharsPerWord: 100,
    continuingSubwordPrefix: '##',
  });
  const tokenizer = new tokenizers.Tokenizer(model);
  tokenizer.setNormalizer(
    tokenizers.bertNormalizer({
      cleanText: true,
      handleChineseChars: casing.splitHan,
      stripAccents: casing.stripAccents,
      lowercase: casing.lowercase,
    }),
  );
  tokenizer.setPreTokenizer(tokenizers.bertPreTokenizer());
  tokenizer.addSpecialTokens(SPECIAL_TOKENS.filter((token) => vocabulary.has(token)));
  tokenizer.setPostProcessor(tokenizers.bertProcessing(['[SEP]', idOf('[SEP]')], ['[CLS]', idOf('[CLS]')]));
  return tokenizer;
}
