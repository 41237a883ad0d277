import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import fc from 'fast-check';
import * as tokenizers from 'tokenizers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelSpec, type Casing, type ModelSpec } from '../model/model-spec.ts';
import { CASED, nativeIds, openBothWays, specWith, UNCASED, type BothWays } from './word-piece.fixture.ts';

/** `all`: every one of 1,112,064 in 20 s; else planes 0 and 1, and a sample of the rest. */
const isFull = process.env['EMBEDFARM_CODE_POINTS'] === 'all';
const TEXTS = Number(process.env['EMBEDFARM_FUZZ_RUNS'] ?? 1_000);
const SAMPLE = 61;
const BLOCK = 0x1000;

let directory: string;
let tiny: ModelSpec;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'code-points-'));
  tiny = await readModelSpec(await writeTinyModel(join(directory, 'tiny')));
});
afterAll(() => rm(directory, { recursive: true }));

/** Tokenizers to whose vocabulary each of the characters belongs, alone and inside of a word. */
async function openCharacters(characters: Iterable<string>, casing: Casing): Promise<BothWays> {
  const tokens = Array.from(characters).filter((character) => !/[\r\n]/.test(character));
  const vocabulary = new Set(['[UNK]', '[CLS]', '[SEP]', ...tokens, ...tokens.map((token) => `##${token}`)]);
  const path = join(directory, 'characters.txt');
  return openBothWays(await specWith(tiny, { path, content: [...vocabulary].join('\n') }, casing));
}

/** What the library makes of the characters, so that each has a token of its own. */
function spellings(characters: readonly string[], casing: Casing): string {
  const normalizer = tokenizers.default.bertNormalizer({
    cleanText: true,
    handleChineseChars: true,
    stripAccents: casing.stripAccents,
    lowercase: casing.lowercase,
  });
  return normalizer.normalizeString(characters.join('x'));
}

/** @returns the characters that the library was left with. */
async function compare(characters: readonly string[], casing: Casing): Promise<string[]> {
  const both = await openCharacters(
    ['a', 'b', '|', ...characters, ...Array.from(spellings(characters, casing))],
    casing,
  );
  const inContexts = characters.map(
    (character) => `${character} a${character}b ${character}${character}  ${character} `,
  );
  const bar = both.native.tokenToId('|') ?? 0;
  const left: string[] = [];
  const got = inContexts.map((text, index) => {
    const ids = both.fast.encode(text, Infinity);
    if (!ids) left.push(characters[index] ?? '');
    return ids && [bar, ...ids];
  });
  const expected = await nativeIds(
    both.native,
    inContexts.map((text, index) => (got[index] ? `|${text}` : '')),
  );
  // Asked at once: a million assertions take minutes.
  if (got.flatMap((ids) => ids ?? []).join() === expected.flat().join()) return left;
  for (const [index, ids] of got.entries()) {
    expect(ids ?? [], `U+${characters[index]?.codePointAt(0)?.toString(16)}`).toEqual(expected[index]);
  }
  return left;
}

function charactersOf(block: number): string[] {
  const all = Array.from({ length: BLOCK }, (_, index) => block + index);
  const asked = isFull || block < 0x20000 ? all : all.filter((codePoint) => codePoint % SAMPLE === 0);
  return asked
    .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
    .map((codePoint) => String.fromCodePoint(codePoint));
}

describe('What becomes of a code point', () => {
  it.each([
    ['uncased', UNCASED, 96],
    ['cased', CASED, 0],
  ])('is what it is in `tokenizers`, alone and among others: %s', async (_, casing, slow) => {
    const left: string[] = [];
    for (let block = 0; block < 0x110000; block += BLOCK) {
      const characters = charactersOf(block);
      if (characters.length > 0) left.push(...(await compare(characters, casing)));
    }
    expect(left).toHaveLength(slow);
  });

  it.each([
    ['uncased', UNCASED],
    ['cased', CASED],
  ])('stands in the order that `tokenizers` puts marks into: %s', async (_, casing) => {
    const all = Array.from({ length: 0x1f000 }, (_, index) => String.fromCodePoint(index));
    const marks = all.filter((character) => /\p{M}/u.test(character));
    const staying = marks.filter((character) => spellings([character], UNCASED) !== '');
    const { native, fast } = await openCharacters(['a', 'क', ...marks], casing);
    const one = fc.oneof(fc.constantFrom('a', ...marks), fc.constantFrom('क', ...staying));
    const texts = fc.array(fc.array(one, { maxLength: 6 }), { minLength: 20, maxLength: 20 });
    const property = fc.asyncProperty(texts, async (rows) => {
      const some = rows.map((row) => row.join(''));
      const expected = await nativeIds(native, some);
      for (const [index, text] of some.entries()) {
        const ids = fast.encode(text, Infinity) ?? expected[index] ?? [];
        expect([...ids], JSON.stringify(text)).toEqual(expected[index]);
      }
    });
    await expect(fc.assert(property, { numRuns: TEXTS / 20 })).resolves.toBeUndefined();
  });

  it('depends on its neighbours only where the library is asked', async () => {
    const [low, high] = ['\u1baa', '\u302e'];
    const { native, fast } = await openCharacters(['a', low, high], UNCASED);
    const [sorted, unsorted] = await nativeIds(native, [`a${low}${high}`, `a${high}${low}`]);
    expect(sorted).toEqual(unsorted);
    expect(fast.encode(`a${high}${low}`, Infinity)).toBeUndefined();
  });
});
