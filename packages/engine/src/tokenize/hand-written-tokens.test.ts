import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type Casing, type ModelSpec } from '../model/model-spec.ts';
import { CASED, tokensOf } from './word-piece.fixture.ts';

let directory: string;
let tiny: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hand-written-tokens-'));
  tiny = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

const LONG = 'a'.repeat(100);
const pieces = (character: string): string => character + ` ##${character}`.repeat(99);

/** By Google's tokenization.py and `tokenizers`, unless a sentence says otherwise. */
const HAND_WRITTEN: readonly [why: string, text: string, tokens: string, casing?: Casing][] = [
  ['case and accents go', 'Éléphants À LA Noël', 'elephant ##s a la noel'],
  ['accents go that stand apart from their letter', 'E\u0301le\u0301phant', 'elephant'],
  ['both stay in a cased model', 'Été', 'Été', CASED],
  ['a letter and its accent are not joined in a cased model', 'E\u0301te', '[UNK]', CASED],
  ['punctuation stands alone, also that of symbols', "can't $5^2", "can ' t $ 5 ^ 2"],
  ['full-width punctuation too', '中！', '中 ！'],
  ['Han characters stand alone', 'one中文two', 'one 中 [UNK] two'],
  ['kana do not', 'カタ', 'カ ##タ'],
  ['Hangul comes apart into letters', '가', '\u1100 ##\u1161'],
  ['white space of any kind is between words', 'one\u00a0two\u3000one\ttwo\r\none', 'one two one two one'],
  ['control characters go', 'o\u0000n\u0007e\ufffd', 'one'],
  ['so do those without width, soft hyphens and marks of direction', 'o\u200bn\u00ade\u200e \ufeff', 'one'],
  ['an emoji is a word', 'one 🙂 two', 'one 🙂 two'],
  ['its joiner goes, its variation selector with the accents', '🙂\u200d\ufe0f', '🙂'],
  ['that selector stays in a cased model', '🙂\ufe0f', '[UNK]', CASED],
  ['a sigma at the end of a word is no other', 'ΟΔΟΣ', 'οδοσ'],
  ['Turkish capital dotted i loses its dot', 'İ', 'i'],
  ['small dotless i is a letter of its own', 'ı', '[UNK]'],
  ['sharp s stays', 'ß', 'ß'],
  ['a ligature stays', 'ﬁ', '[UNK]'],
  ['a word of 100 characters is cut into pieces', LONG, pieces('a')],
  ['one more, and it is unknown', `${LONG}a one`, '[UNK] one'],
  ['characters are counted, not UTF-16 units', '🙂'.repeat(100), pieces('🙂')],
  ['what is dropped is not counted', `${LONG}\u0301`, pieces('a')],
  ['a special token written out is that token', 'one[SEP]two [MASK]', 'one [SEP] two [MASK]'],
  ['but not in small letters', '[sep]', '[ [UNK] ]'],
  ['the longest piece is taken', 'elephants', 'elephant ##s'],
  ['a word is known as a whole or not at all', 'elephanty', '[UNK]'],
  ['private use goes', 'o\ue000ne', 'one'],
];
const VOCABULARY = HAND_WRITTEN.flatMap(([, , tokens]) => tokens.split(' ')).concat('e', '##e', 'le', '##le');

describe('Tokens written by hand', () => {
  it.each(HAND_WRITTEN)('%s', async (_, text, tokens, casing) => {
    const vocabulary = { path: join(directory, 'vocab.txt'), tokens: VOCABULARY, ...(casing && { casing }) };
    expect((await tokensOf(tiny, vocabulary, text)).join(' ')).toBe(tokens);
  });
});
