import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type Casing, type ModelSpec } from '../model/model-spec.ts';
import { Tokenizer } from './tokenizer.ts';
import {
  CASED,
  nativeIds,
  openBothWays,
  shared,
  specWith,
  UNCASED,
  type BothWays,
} from './word-piece.fixture.ts';

/** Texts of each vocabulary and casing; 20,000 and more for the note in docs/decisions/0017. */
const TEXTS = Number(process.env['EMBEDFARM_FUZZ_RUNS'] ?? 1_000);
const TEXTS_PER_RUN = 20;

let directory: string;
let tiny: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'word-piece-'));
  tiny = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

let files = 0;
function vocabularySpec(tokens: readonly string[], casing?: Casing): Promise<ModelSpec> {
  const path = join(directory, `vocab-${(files += 1)}.txt`);
  return specWith(tiny, { path, content: tokens.join('\n') }, casing);
}

/** @returns the share of texts that were left to the library. @throws where ids differ. */
async function compare({ native, fast }: BothWays, vocabulary: readonly string[]): Promise<number> {
  let left = 0;
  let texts = 0;
  const property = fc.asyncProperty(
    fc.array(anyText(vocabulary), { minLength: TEXTS_PER_RUN, maxLength: TEXTS_PER_RUN }),
    fc.nat(12),
    async (some, enough) => {
      const expected = await nativeIds(native, some);
      for (const [index, text] of some.entries()) {
        texts += 1;
        const all = fast.encode(text, Infinity)?.slice();
        if (!all) {
          left += 1;
          continue;
        }
        expect([...all], JSON.stringify(text)).toEqual(expected[index]);
        const first = [...(fast.encode(text, enough) ?? [])];
        expect(first.length).toBeGreaterThanOrEqual(Math.min(enough, all.length));
        expect([...all].slice(0, first.length)).toEqual(first);
      }
    },
  );
  await fc.assert(property, { numRuns: Math.ceil(TEXTS / TEXTS_PER_RUN) });
  return left / texts;
}

// Marks that decomposition could sort are left to it, and the generator is fond of them.
const MOST_LEFT = 0.1;

describe('WordPiece', () => {
  it.each([
    ['uncased', UNCASED],
    ['cased', CASED],
    ['lower case with accents', { ...UNCASED, stripAccents: false }],
    ['without accents, in its case, Han kept together', { ...CASED, stripAccents: true, splitHan: false }],
  ])('gives the ids of `tokenizers` for any text: %s', async (_, casing) => {
    const vocabulary = embeddedVocabulary();
    const both = await openBothWays(await vocabularySpec(vocabulary, casing));
    expect(await compare(both, vocabulary)).toBeLessThan(MOST_LEFT);
  });

  it('has the same tokens in every sequence, however it is cut', async () => {
    const vocabulary = embeddedVocabulary();
    const spec = { ...(await vocabularySpec(vocabulary)), maxSequenceLength: 9 };
    const { native } = await openBothWays(spec);
    const tokenizer = await Tokenizer.open(spec);
    const [begin, end] = [native.tokenToId('[CLS]'), native.tokenToId('[SEP]')];
    const ways = fc.constantFrom('end' as const, 'start' as const, 'error' as const);
    const property = fc.asyncProperty(
      fc.array(anyText(vocabulary), { minLength: 1 }),
      ways,
      async (texts, way) => {
        const got: unknown[] = [];
        for await (const part of tokenizer.tokenize(texts, way)) {
          got.push(...part.map((row) => ('ids' in row ? { ...row, ids: [...row.ids] } : row.message)));
        }
        const expected = (await nativeIds(native, texts)).map((ids) => {
          const tooLong = `[sequence_too_long] the text has ${ids.length + 2} tokens, limit is 9`;
          if (way === 'error' && ids.length > 7) return tooLong;
          const kept = way === 'start' ? ids.slice(-7) : ids.slice(0, 7);
          return { ids: [begin, ...kept, end], truncated: ids.length > 7 };
        });
        expect(got).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: Math.ceil(TEXTS / 10) });
  });

  it('leaves a text to the library that would hold the main loop', async () => {
    const { fast } = await openBothWays(await vocabularySpec(embeddedVocabulary()));
    const long = 'one '.repeat(5_000);
    expect(fast.encode(long, Infinity)).toBeUndefined();
    expect(fast.encode(long, 100)?.length).toBeGreaterThanOrEqual(100);
    expect(fast.encode(' '.repeat(1_000_000), 100)).toBeUndefined();
    const manyNew = Array.from({ length: 600 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join('');
    expect(fast.encode(manyNew, Infinity)).toBeUndefined();
    expect(fast.encode(manyNew, Infinity)).toHaveLength(600);
    expect(fast.encode('a lone \ud800', Infinity)).toBeUndefined();
  });
});

const NAMES = ['bert-base-uncased', 'bert-base-cased', 'bert-base-chinese', 'bert-base-multilingual-cased'];
const isThere = existsSync(shared('vocabs/bert-base-uncased.vocab.txt'));
if (!isThere) console.warn('skipped: WordPiece with the vocabularies of BERT, which are not at hand');

describe.skipIf(!isThere)('WordPiece with the vocabularies of BERT', () => {
  it.each(NAMES)('gives the ids of `tokenizers` for any text: %s', async (name) => {
    const vocabulary = (await readFile(shared(`vocabs/${name}.vocab.txt`), 'utf8')).trimEnd().split('\n');
    const casing = name.endsWith('-cased') ? CASED : UNCASED;
    const both = await openBothWays(await vocabularySpec(vocabulary, casing));
    expect(await compare(both, vocabulary)).toBeLessThan(MOST_LEFT);
  });

  it.each(['all-MiniLM-L6-v2', 'Xenova-all-MiniLM-L6-v2'])(
    'and by the tokenizer.json of %s',
    async (name) => {
      const content = await readFile(shared(`vocabs/${name}.tokenizer.json`), 'utf8');
      const both = await openBothWays(
        await specWith(tiny, { path: join(directory, `${name}.json`), content }),
      );
      expect(await compare(both, Object.keys(both.native.getVocab(false)))).toBeLessThan(MOST_LEFT);
    },
  );
});

/**
 * Texts that a tokenizer may trip over: pieces of its vocabulary, runs of any code points, words about as
 * long as is allowed, tokens written out, marks in any order, invisible characters, and what is between words.
 */
function anyText(vocabulary: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.constantFrom(...vocabulary);
  const bare = piece.map((token) => token.replace(/^##/, ''));
  const codePoint = fc.oneof(
    { weight: 4, arbitrary: within(0x20, 0x7e) },
    { weight: 2, arbitrary: within(0xa0, 0x24f) },
    { weight: 2, arbitrary: within(0x300, 0x36f) },
    { weight: 2, arbitrary: within(0x370, 0x5ff) },
    { weight: 2, arbitrary: within(0x600, 0x1fff) },
    { weight: 1, arbitrary: within(0x2000, 0x206f) },
    { weight: 1, arbitrary: within(0x2070, 0x33ff) },
    { weight: 2, arbitrary: within(0x3400, 0x9fff) },
    { weight: 1, arbitrary: within(0xa000, 0xd7ff) },
    { weight: 1, arbitrary: within(0xe000, 0xffff) },
    { weight: 1, arbitrary: within(0x10000, 0x2ffff) },
    { weight: 1, arbitrary: within(0, 0x1f) },
  );
  const part = fc.oneof(
    { weight: 6, arbitrary: piece },
    { weight: 6, arbitrary: fc.array(bare, { minLength: 1, maxLength: 4 }).map(concat) },
    { weight: 3, arbitrary: bare.map((word) => word.toUpperCase()) },
    { weight: 3, arbitrary: fc.array(codePoint, { minLength: 1, maxLength: 6 }).map(concat) },
    { weight: 2, arbitrary: fc.constantFrom(...TRAPS) },
    { weight: 1, arbitrary: fc.tuple(bare, fc.integer({ min: 95, max: 105 })).map(stretch) },
  );
  const gap = fc.oneof(
    { weight: 5, arbitrary: fc.constant(' ') },
    { weight: 2, arbitrary: fc.constant('') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\t', '\n', '\r\n', '\u00a0', '\u2003', '\u3000', '\u2028', '\u0085'),
    },
  );
  return fc.array(fc.tuple(part, gap), { maxLength: 12 }).map((parts) => parts.flat().join(''));
}

const TRAPS = [
  '[CLS]',
  '[SEP]',
  '[MASK]',
  '[sep]',
  '[[SEP]',
  'ΑΣ ΟΔΟΣ',
  'İstanbul',
  'ı',
  'ß',
  'ﬁ',
  '한국어',
  'e\u0323\u0307',
  'e\u0307\u0323',
  '\u0344',
  '\u302e\u302f',
  '\u0bca',
  'นี้',
  'क्षि',
  '\u200b\u200d\ufeff',
  '👩‍👩‍👧‍👦',
  '🇩🇪✌🏽❤️',
  '\ufffd\u0000\u0007',
  '\ue000\u{10fffd}',
  '\u{2b820}\u{1d15e}',
  "can't",
  '≠≮',
  '\u037e',
];

function within(first: number, last: number): fc.Arbitrary<string> {
  return fc.integer({ min: first, max: last }).map((codePoint) => String.fromCodePoint(codePoint));
}

function concat(parts: readonly string[]): string {
  return parts.join('');
}

/** A word of so many UTF-16 units; what is cut in half is left out. */
function stretch([word, units]: readonly [string, number]): string {
  return word.repeat(units).slice(0, units).toWellFormed().replaceAll('\ufffd', '');
}
