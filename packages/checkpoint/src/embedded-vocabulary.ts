import { HAN_CHARACTERS } from './han-characters.ts';
import { WORD_ENDINGS, WORD_STARTS, WORDS } from './english-words.ts';

const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/** Unicode ranges of which every character is an entry, alone and inside a word. First and last. */
const LETTER_RANGES = [
  [0x0021, 0x007e], // printable ASCII
  [0x00a1, 0x00ff], // Latin-1
  [0x0131, 0x0131], // dotless i
  [0x0153, 0x0153], // oe
  [0x03b1, 0x03c9], // Greek
  [0x0430, 0x045f], // Cyrillic
  [0x05d0, 0x05ea], // Hebrew
  [0x0621, 0x064a], // Arabic
  [0x0660, 0x0669], // Arabic digits
  [0x0904, 0x0939], // Devanagari
  [0x093e, 0x094d], // its vowel signs
  [0x0e01, 0x0e4e], // Thai
  [0x1100, 0x1112], // Hangul, as the letters that normalization takes it apart into
  [0x1161, 0x1175],
  [0x11a8, 0x11c2],
  [0x3041, 0x3094], // Hiragana
  [0x30a1, 0x30fc], // Katakana
  [0x1f600, 0x1f64f], // faces
] as const;

/** Characters that are words of their own, whatever stands beside them. */
const LONE_RANGES = [
  [0x2010, 0x2027], // dashes, quotes, dots
  [0x2030, 0x203e],
  [0x20a0, 0x20bf], // currencies
  [0x2190, 0x21ff], // arrows
  [0x2200, 0x22ff], // mathematics
  [0x3001, 0x3011], // CJK punctuation
  [0xff01, 0xff0f], // full-width punctuation
  [0xff1a, 0xff20],
] as const;

const CONSONANTS = Array.from('bcdfghjklmnprstvwyz');
const VOWELS = Array.from('aeiou');

/**
 * The WordPiece entries of the embedded model, by id: no more than a stand-in for a trained vocabulary,
 * made so that few texts hold an unknown word. Deterministic.
 */
export function embeddedVocabulary(): string[] {
  const letters = LETTER_RANGES.flatMap(characters);
  const syllables = CONSONANTS.flatMap((consonant) =>
    VOWELS.flatMap((vowel) => [consonant + vowel, vowel + consonant]),
  );
  const closed = CONSONANTS.flatMap((first) =>
    VOWELS.flatMap((vowel) => Array.from('lmnrst').map((last) => first + vowel + last)),
  );
  const starts = [...WORDS, ...WORD_STARTS, ...syllables, ...closed];
  const endings = [...WORD_ENDINGS, ...syllables, ...closed];
  return [
    ...new Set([
      ...SPECIAL_TOKENS,
      ...letters,
      ...letters.map(inside),
      ...LONE_RANGES.flatMap(characters),
      ...HAN_CHARACTERS,
      ...starts,
      ...endings.map(inside),
    ]),
  ];
}

function characters([first, last]: readonly [number, number]): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));
}

/** WordPiece marks a piece that goes on a word. */
function inside(piece: string): string {
  return `##${piece}`;
}
