import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import type { BertConfig } from './bert-config.ts';

/**
 * What a packed model's tokenizer knows: WordPiece entries by id, or the path of a `vocab.txt`, or that of a
 * `tokenizer.json` of another kind (byte-level BPE, Unigram), which says all by itself, with the number of
 * its tokens.
 */
export type PackedVocabulary =
  | readonly string[]
  | { readonly vocabFile: string }
  | { readonly tokenizerFile: string; readonly tokens: number };

// What every text stands between, and what an unknown word becomes, where no tokenizer.json says it.
const SPECIAL_TOKENS = ['[UNK]', '[CLS]', '[SEP]'];

/**
 * Refuses, now or never, what does not fit the model; the file is written by the function that comes back.
 *
 * @param hasTokenizerJson whether a tokenizer.json goes along that names the special tokens.
 * @throws FarmError `invalid_argument` for more tokens than the model has, and for entries that are missing.
 */
export async function openVocabulary(
  vocabulary: PackedVocabulary,
  config: BertConfig,
  hasTokenizerJson: boolean,
): Promise<(directory: string) => Promise<void>> {
  if ('tokenizerFile' in vocabulary) {
    checkSize(vocabulary.tokens, config);
    return (directory) => copyFile(vocabulary.tokenizerFile, join(directory, 'tokenizer.json'));
  }
  const entries = await readEntries(vocabulary);
  checkSize(entries.length, config);
  const missing = SPECIAL_TOKENS.find((token) => !entries.includes(token));
  if (missing !== undefined && !hasTokenizerJson) {
    throw new FarmError('invalid_argument', `the vocabulary has no ${missing}`);
  }
  return (directory) => {
    const target = join(directory, 'vocab.txt');
    if ('vocabFile' in vocabulary) return copyFile(vocabulary.vocabFile, target);
    return writeFile(target, `${entries.join('\n')}\n`);
  };
}

async function readEntries(
  vocabulary: readonly string[] | { readonly vocabFile: string },
): Promise<readonly string[]> {
  if (!('vocabFile' in vocabulary)) {
    const broken = vocabulary.findIndex((entry) => entry === '' || /[\r\n]/.test(entry));
    if (broken === -1) return vocabulary;
    throw new FarmError('invalid_argument', `vocabulary[${broken}] must be one line of text`);
  }
  const text = await readFile(vocabulary.vocabFile, 'utf8').catch((cause: unknown) => {
    throw new FarmError('invalid_argument', `cannot read ${vocabulary.vocabFile}`, { cause });
  });
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** A table may have rows to spare, as some checkpoints pad it; a token without a row has no vector. */
function checkSize(tokens: number, { vocabularySize }: BertConfig): void {
  if (tokens <= vocabularySize) return;
  throw new FarmError(
    'invalid_argument',
    `the vocabulary has ${tokens} entries, the model has ${vocabularySize}`,
  );
}
