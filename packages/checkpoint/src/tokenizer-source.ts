import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { BERT } from './family/bert.ts';
import type { EncoderFamily } from './family/encoder-family.ts';
import { MPNET } from './family/mpnet.ts';
import { MPNET_NEEDED_TOKENS, mpnetTokenizerConfig, mpnetTokenizerJson } from './mpnet-tokenizer.ts';
import type { PackedModel } from './packed-model.ts';
import { readWholeFile } from './read-file-range.ts';
import { readJsonFileIfAny } from './read-json-file.ts';
import { readTokenizerJson } from './tokenizer-json.ts';

/** Where it was read whether texts are made lower case. */
export type CasingSource = 'option' | 'tokenizer.json' | 'tokenizer_config.json' | 'name' | 'vocabulary';

/** The tokenizer of a model, in the fields of a packed model. */
export interface TokenizerSource
  extends
    Required<Pick<PackedModel, 'vocabulary' | 'lowercase' | 'stripAccents' | 'splitHan' | 'copies'>>,
    Pick<PackedModel, 'tokenizerJson' | 'tokenizerConfig'> {
  readonly casingFrom: CasingSource;
  /** In tokens, special ones included. */
  readonly maxSequenceLength?: number;
}

export interface TokenizerWishes {
  /** Of the model. */
  readonly name: string;
  readonly family?: EncoderFamily;
  readonly lowercase?: boolean | undefined;
}

/**
 * The tokenizer files of a directory: a `tokenizer.json` of any kind, or a `vocab.txt`, or both.
 *
 * Casing: what the caller says, else the tokenizer's files, else the model's name (Google's models say it
 * there: `uncased_L-12_H-768_A-12`), else the vocabulary: one without capital letters is lower case.
 *
 * @throws FarmError `invalid_argument` naming the file that is missing or damaged, and for a `lowercase`
 *   that the tokenizer.json contradicts.
 */
export function readTokenizer(
  directory: string,
  { name, family = BERT, lowercase }: TokenizerWishes,
): TokenizerSource {
  const tokenizerFile = join(directory, 'tokenizer.json');
  const json = readTokenizerJson(tokenizerFile);
  const vocabFile = join(directory, 'vocab.txt');
  const hasVocabFile = existsSync(vocabFile);
  const entries = hasVocabFile ? readLines(vocabFile) : (json?.entries ?? []);
  if (!json && !hasVocabFile) throw noTokenizer(directory, family);
  const config = readJsonFileIfAny(join(directory, 'tokenizer_config.json'), configSchema);
  if (json && lowercase !== undefined && lowercase !== json.lowercase) {
    throw new FarmError(
      'invalid_argument',
      `lowercase is ${lowercase}, but the tokenizer.json of ${directory} has ${json.lowercase}`,
    );
  }
  const isLong = config?.model_max_length === undefined || config.model_max_length > MAX_LENGTH;
  const casing = {
    ...casingOf({ lowercase, json: json?.lowercase, config: config?.do_lower_case, name, entries }),
    stripAccents: config?.strip_accents ?? null,
    splitHan: config?.tokenize_chinese_chars ?? true,
  };
  const common = {
    ...casing,
    copies: copiesOf(directory),
    ...(!isLong && { maxSequenceLength: Math.floor(config.model_max_length ?? 0) }),
  };
  if (json && !json.entries) {
    const vocabulary = { tokenizerFile, tokens: json.tokens };
    return { ...common, vocabulary, tokenizerConfig: config ?? {} };
  }
  const vocabulary = hasVocabFile ? { vocabFile } : entries;
  if (family !== MPNET) return { ...common, vocabulary };
  const tokenizerConfig = { ...mpnetTokenizerConfig(casing), ...(json && config) };
  if (json) return { ...common, vocabulary, tokenizerConfig };
  const missing = MPNET_NEEDED_TOKENS.find((token) => !entries.includes(token));
  if (missing !== undefined) throw new FarmError('invalid_argument', `${vocabFile} has no ${missing}`);
  return { ...common, vocabulary, tokenizerConfig, tokenizerJson: mpnetTokenizerJson(entries, casing) };
}

function noTokenizer(directory: string, { label }: EncoderFamily): FarmError {
  const found = FOREIGN_FILES.filter((name) => existsSync(join(directory, name)));
  if (found.length === 0)
    return new FarmError('invalid_argument', `${directory} has no vocab.txt and no tokenizer.json`);
  return new FarmError(
    'invalid_argument',
    `${directory} has no tokenizer.json, which a ${label} with ${found.join(' and ')} needs; the Python package ` +
      'transformers writes it: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)',
  );
}

// What slow tokenizers of Hugging Face are made of: byte-level BPE, and SentencePiece.
const FOREIGN_FILES = ['vocab.json', 'merges.txt', 'sentencepiece.bpe.model', 'spiece.model'];

interface CasingEvidence {
  readonly lowercase: boolean | undefined;
  readonly json: boolean | undefined;
  readonly config: boolean | undefined;
  readonly name: string;
  readonly entries: readonly string[];
}

/** Pure: every piece of evidence is handed in. */
export function casingOf(evidence: CasingEvidence): { lowercase: boolean; casingFrom: CasingSource } {
  const { lowercase, json, config, name, entries } = evidence;
  if (lowercase !== undefined) return { lowercase, casingFrom: 'option' };
  if (json !== undefined) return { lowercase: json, casingFrom: 'tokenizer.json' };
  if (config !== undefined) return { lowercase: config, casingFrom: 'tokenizer_config.json' };
  const named = casingOfName(name);
  if (named !== undefined) return { lowercase: named, casingFrom: 'name' };
  return { lowercase: !entries.some(isCapitalized), casingFrom: 'vocabulary' };
}

/** A word of several letters: single capitals stand in some lower-case vocabularies, and [CLS] is no word. */
function isCapitalized(entry: string): boolean {
  const word = entry.startsWith('##') ? entry.slice(2) : entry;
  return word.length > 1 && !/^[[<]/.test(word) && word !== word.toLowerCase();
}

/** Source: https://github.com/google-research/bert/blob/master/tokenization.py, validate_case_matches_checkpoint */
function casingOfName(name: string): boolean | undefined {
  if (/(?:^|[_-])uncased(?:[_-]|$)/i.test(name)) return true;
  if (/(?:^|[_-])cased(?:[_-]|$)/i.test(name)) return false;
  return /^(?:chinese|multilingual)_L-/i.test(name) ? true : undefined;
}

function copiesOf(directory: string): Map<string, string> {
  const paths = COPIED.map((name): [string, string] => [name, join(directory, name)]);
  return new Map(paths.filter(([, path]) => existsSync(path)));
}

const COPIED = ['tokenizer.json', 'special_tokens_map.json'];

// One of 500,000 tokens has 5 MB.
const MAX_VOCABULARY_BYTES = 1 << 26;

function readLines(file: string): string[] {
  const text = Buffer.from(readWholeFile(file, MAX_VOCABULARY_BYTES, 'the vocabulary')).toString('utf8');
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

// model_max_length is 1e30 where nobody set it.
const MAX_LENGTH = 1_000_000;

const configSchema = z.looseObject({
  do_lower_case: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  model_max_length: z.number().min(2).optional(),
});
