import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type Casing, type ModelSpec } from '../model/model-spec.ts';
import { idsOf, shared, specWith, UNCASED } from './word-piece.fixture.ts';

const isThere = existsSync(shared('tokenization'));
if (!isThere) console.warn(`skipped: golden tokens of other projects, there is no ${shared('tokenization')}`);

let directory: string;
let tiny: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenizer-golden-'));
  tiny = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

const casingOf = (lowercase: boolean): Casing => ({ ...UNCASED, lowercase, stripAccents: lowercase });

// Of every vocabulary at hand.
const [CLS, SEP] = [101, 102];

const CASED_NAMES = ['bert-base-cased', 'bert-base-multilingual-cased'];

/** Token ids by one of BERT's vocabularies. */
async function idsBy(
  name: string,
  texts: readonly string[],
  casing = casingOf(!CASED_NAMES.includes(name)),
): Promise<number[][]> {
  const content = await readVocabulary(name);
  return idsOf(await specWith(tiny, { path: join(directory, `${name}.txt`), content }, casing), texts);
}

/** Token ids by a vocabulary of these tokens. */
async function idsByTokens(
  tokens: readonly string[],
  texts: readonly string[],
  casing?: Casing,
): Promise<number[][]> {
  const file = { path: join(directory, 'vocab.txt'), content: tokens.join('\n') };
  return idsOf(await specWith(tiny, file, casing), texts);
}

const readVocabulary = (name: string): Promise<string> =>
  readFile(shared(`vocabs/${name}.vocab.txt`), 'utf8');

async function readGolden<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(shared(`tokenization/${name}`), 'utf8')) as T;
}

describe.skipIf(!isThere)('Golden tokens of other projects', () => {
  it('transformers.js: every id, where the vocabulary is at hand', async () => {
    const cases = [
      ...(await readGolden<TransformersCase[]>('transformersjs_bert.json')),
      ...(await readGolden<TransformersCase[]>('transformersjs_distilbert.json')),
    ].map((one) => ({ ...one, ...SAME_VOCABULARY[one.model] }));
    const left: Record<string, number> = {};
    for (const [key, some] of groupBy(cases, ({ vocab, do_lower_case }) => `${vocab} ${do_lower_case}`)) {
      const { vocab, do_lower_case: lowercase } = some[0] ?? {};
      if (!vocab) {
        for (const { model } of some) left[model] = (left[model] ?? 0) + 1;
        continue;
      }
      const parts = some.map(({ text, text_pair: pair }) => (pair ? [text, pair] : [text]));
      const ids = await idsBy(vocab, parts.flat(), casingOf(lowercase === true));
      for (const [index, { text, ids: golden }] of some.entries()) {
        const whole = ids.splice(0, parts[index]?.length).flatMap((part) => [...part, SEP]);
        expect([CLS, ...whole], `${key}: ${text}`).toEqual(golden);
      }
    }
    console.warn(`skipped, for their vocabularies are not at hand: ${Object.keys(left).join(', ')}`);
    expect(left).toEqual(NOT_AT_HAND);
  });

  it('llama.cpp: every id', async () => {
    interface Case {
      readonly text: string;
      readonly ids_without_special: number[];
    }
    const { vocab, cases } = await readGolden<{ vocab: string; cases: Case[] }>('llamacpp_bert_bge.json');
    const got = await idsBy(
      vocab,
      cases.map(({ text }) => text),
    );
    expect(got).toEqual(cases.map(({ ids_without_special: ids }) => ids));
    expect(cases.length).toBeGreaterThan(20);
  });

  it('Google, transformers and keras-bert: their unit tests, but for one difference', async () => {
    const { cases } = await readGolden<{ cases: OfficialCase[] }>('official_unit_cases.json');
    const differences: string[] = [];
    for (const one of cases) {
      const vocabulary = one.vocab_name
        ? (await readVocabulary(one.vocab_name)).trimEnd().split('\n')
        : [...new Set([...(one.vocab ?? one.tokens ?? []), '[UNK]', '[CLS]', '[SEP]'])];
      const lowercase =
        one.do_lower_case ?? (one.level !== 'wordpiece' && one.vocab_name !== 'bert-base-cased');
      const [ids = []] = await idsByTokens(vocabulary, [one.text], {
        lowercase,
        stripAccents: one.strip_accents ?? lowercase,
        splitHan: one.tokenize_chinese_chars ?? true,
      });
      const golden = one.ids ?? one.tokens?.map((token) => vocabulary.indexOf(token)) ?? [];
      const around = [vocabulary.indexOf('[CLS]'), vocabulary.indexOf('[SEP]')];
      const isWhole = golden[0] === around[0] && golden.at(-1) === around[1];
      const got = isWhole ? [around[0], ...ids, around[1]] : ids;
      if (got.join() !== golden.join()) differences.push(`${one.source.repo} ${one.text} ${got.join(' ')}`);
    }
    // keras-bert has an unknown token for each of the characters of an unknown word, Google one for the word.
    const text = 'UNwantéd, running  \nah博推zzz\u00ad';
    expect(differences).toEqual([`CyberZHG/keras-bert ${text} 2 8 5 6 11 9 10 1 12 13 1 3`]);
    expect(cases.length).toBeGreaterThan(20);
  });

  it('Google: white space, control characters and punctuation', async () => {
    const { char_classes: classes } = await readGolden<{ char_classes: Record<string, string[]> }>(
      'official_unit_cases.json',
    );
    const fates = { whitespace: 'space', control: 'removed', punct: 'split' } as const;
    for (const [name, fate] of Object.entries(fates)) {
      const characters = (is: boolean): string[] => classes[`${name}_${is}`] ?? [];
      expect(await fatesOf(characters(true)), name).toEqual(characters(true).map(() => fate));
      expect(await fatesOf(characters(false)), `not ${name}`).not.toContain(fate);
      expect(characters(true).length * characters(false).length).toBeGreaterThan(0);
    }
  });

  it('our reference: a special token written out is that token, to Google it is five pieces', async () => {
    const lines = (await readFile(shared('tokenization/golden_ids.jsonl'), 'utf8')).trimEnd().split('\n');
    const cases = lines.map((line) => JSON.parse(line) as { text: string; ids: Record<string, number[]> });
    const written = cases.filter(({ text }) => /\[(?:PAD|UNK|CLS|SEP|MASK)\]/.test(text));
    expect(written.map(({ text }) => text)).toEqual(['[CLS] [SEP] [MASK] [PAD] [UNK]']);
    for (const { text, ids } of written) {
      for (const name of Object.keys(ids)) {
        const tokens = (await readVocabulary(name)).split('\n');
        expect(await idsBy(name, [text])).toEqual([text.split(' ').map((token) => tokens.indexOf(token))]);
      }
    }
  });

  it('where Google and `tokenizers` differ we are `tokenizers`, and each difference has a reason', async () => {
    const golden = await readGolden<Disagreements>('google_vs_hf_disagreements.json');
    const edges = golden.edge_and_sample.flatMap(({ text, differs }) =>
      Object.entries(differs).map(([vocab, { hf }]) => ({ vocab, text, hf, hf_tokens: undefined })),
    );
    const cases = [...edges, ...golden.corpus.map((one) => ({ ...one, hf: undefined }))];
    for (const [name, some] of groupBy(cases, ({ vocab }) => vocab)) {
      const tokens = (await readVocabulary(name)).split('\n');
      const got = await idsBy(
        name,
        some.map(({ text }) => text),
      );
      const goldenIds = some.map(
        ({ hf, hf_tokens }) => hf ?? hf_tokens?.map((token) => tokens.indexOf(token)),
      );
      expect(got).toEqual(goldenIds);
    }
    const texts = [...golden.edge_and_sample, ...golden.corpus].map(({ text }) => text);
    const reasons = texts.map((text) => Object.keys(REASONS).filter((why) => REASONS[why]?.test(text)));
    expect(texts.filter((_, index) => reasons[index]?.length === 0)).toEqual([]);
    expect(new Set(reasons.flat())).toEqual(new Set(Object.keys(REASONS)));
  });

  it.each([
    ['lower', true],
    ['cased', false],
  ] as const)('by code point: %s', async (casing, lowercase) => {
    const groups =
      (await readGolden<Record<string, CodePointGroup[]>>('codepoint_disagreements.json'))[casing] ?? [];
    const without = groups.filter((group) => CODE_POINT_REASONS[differenceOf(group)] === undefined);
    expect(without).toEqual([]);
    for (const group of groups) {
      const characters = group.ranges.flatMap(([first, last]) =>
        Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) =>
          String.fromCodePoint(Number(first) + index),
        ),
      );
      // The file lists 40 ranges of a group at most.
      expect(group.ranges.length === 40 || characters.length === group.count).toBe(true);
      const other = (await fatesOf(characters, casingOf(lowercase))).filter((fate) => fate !== group.hf);
      expect(other, JSON.stringify(group)).toEqual([]);
    }
  });
});

/** What becomes of a character between two letters. */
async function fatesOf(characters: readonly string[], casing?: Casing): Promise<string[]> {
  const fates: Record<string, string> = { '3 4': 'space', '5': 'removed', '3 0 4': 'split', '0': 'kept' };
  const texts = characters.map((character) => `a${character}b`);
  const ids = await idsByTokens(['[UNK]', '[CLS]', '[SEP]', 'a', 'b', 'ab'], texts, casing);
  return ids.map((some) => fates[some.join(' ')] ?? some.join(' '));
}

/** Why Google and `tokenizers` differ on a text. */
const REASONS: Record<string, RegExp> = {
  "a word may have 100 characters in `tokenizers`, 200 in Google's": /[^\s]{101}/,
  'Python lowers a sigma at the end of a word to another letter': /Σ/,
  '`tokenizers` drops characters of private use, Google keeps them': /\p{Co}/u,
};

const OLDER =
  'the tables of `tokenizers` are those of an older Unicode, in which it was not there or of another kind';
const differenceOf = ({ category, google, hf }: CodePointGroup): string => `${category} ${google} ${hf}`;
const CODE_POINT_REASONS: Record<string, string> = {
  'Cf removed kept': OLDER,
  'Cn kept kept': 'Rust lowers letters of a newer Unicode than Python 3.11',
  'Co kept removed': "private use is a control character in `tokenizers`, not in Google's",
  'Lo split kept': 'Google splits Han extension E from U+2B820 on, `tokenizers` from U+2B920 on, by a slip',
  'Mc kept kept': OLDER,
  'Mc kept removed': OLDER,
  'Mn removed kept': OLDER,
  'Mn removed split': OLDER,
  'Mn kept split': OLDER,
  'Pd split kept': OLDER,
  'Pe split kept': OLDER,
  'Po split kept': OLDER,
  'Ps split kept': OLDER,
  'So kept split': OLDER,
};

interface TransformersCase {
  readonly model: string;
  readonly text: string;
  readonly text_pair?: string | null;
  readonly ids: number[];
  /** Null where it is not at hand. */
  readonly vocab: string | null;
  readonly do_lower_case?: boolean | null;
}

/** The file names no vocabulary for these; every id says that it is one at hand. */
const SAME_VOCABULARY: Record<string, { readonly vocab: string; readonly do_lower_case: boolean }> = {
  'Xenova/distiluse-base-multilingual-cased-v2': {
    vocab: 'bert-base-multilingual-cased',
    do_lower_case: false,
  },
  'Xenova/spanbert-large-cased': { vocab: 'bert-base-cased', do_lower_case: true },
};

/** Models with other vocabularies, and the number of their texts. */
const NOT_AT_HAND: Record<string, number> = {
  'Xenova/paraphrase-multilingual-MiniLM-L12-v2': 28,
  'Xenova/bert-base-multilingual-uncased-sentiment': 3,
  'Xenova/multilingual-e5-small': 6,
  'Xenova/indobert-base-p1': 10,
  'Xenova/UMLSBert_ENG': 8,
  'Xenova/SapBERT-from-PubMedBERT-fulltext': 2,
  'Xenova/rubert-base-cased': 13,
  'Xenova/kobert': 17,
  'Xenova/scibert_scivocab_uncased': 6,
  'Xenova/LaBSE': 7,
  'Xenova/herbert-large-cased': 26,
  'Xenova/ernie-gram-zh': 1,
  'onnx-community/language_detection-ONNX': 4,
};

interface OfficialCase {
  readonly source: { readonly repo: string };
  readonly level: string;
  readonly text: string;
  readonly tokens?: readonly string[];
  readonly ids?: readonly number[];
  readonly vocab?: readonly string[];
  readonly vocab_name?: string;
  readonly do_lower_case?: boolean;
  readonly strip_accents?: boolean;
  readonly tokenize_chinese_chars?: boolean;
}

interface Disagreements {
  readonly edge_and_sample: readonly {
    readonly text: string;
    readonly differs: Record<string, { hf: number[] }>;
  }[];
  readonly corpus: readonly { readonly vocab: string; readonly text: string; readonly hf_tokens: string[] }[];
}

interface CodePointGroup {
  readonly category: string;
  readonly google: string;
  readonly hf: string;
  readonly count: number;
  readonly ranges: readonly (readonly [string, string])[];
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
