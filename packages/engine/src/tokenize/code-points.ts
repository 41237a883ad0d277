import type { Normalizer, PreTokenizer } from 'tokenizers';

/** Not asked about yet. */
export const UNKNOWN = 0;
/** Part of a word, or nothing at all. */
export const WORD = 1;
/** Between words. */
const SPACE = 2;
/** What becomes of it depends on its neighbours: for the library. */
export const SLOW = 3;
/** A word of its own, whatever stands beside it; its token id is added to this. */
export const LONE = 4;

/** What of the library and of the model is asked about a code point. */
export interface CodePointSources {
  readonly normalizer: Normalizer;
  readonly preTokenizer: PreTokenizer;
  /** Canonical decomposition alone, as the library has it. */
  readonly decompose: Normalizer;
  /** Code points that make a text one for the library, alone or in what the normalizer makes of another. */
  readonly refused: ReadonlySet<number>;
  /** A word of one code point → its token. */
  readonly idOf: (word: string) => number;
}

/**
 * What BERT's normalizer and pre-tokenizer make of every code point, asked of the library itself when the
 * code point is first met (4 µs). So no Unicode table of JavaScript is used, whose version differs from the
 * library's and changes with Node: 658 code points had other ids that way.
 *
 * It holds for whole texts because both look at one code point at a time, with one exception: canonical
 * decomposition sorts neighbouring marks. Those that it could sort and that stay in the text are `SLOW`.
 */
export class CodePoints {
  /** By code point. Negative: an added token may begin here. */
  readonly places = new Int32Array(0x110000);
  readonly #sources: CodePointSources;
  readonly #starts: ReadonlySet<number>;
  readonly #sortsMarks: boolean;
  /** What becomes of a code point, where it is one UTF-16 unit. 0: see `#spellings`. */
  readonly #units = new Uint16Array(0x10000);
  readonly #spellings = new Map<number, string>();

  /** @param starts code points that added tokens begin with. */
  constructor(sources: CodePointSources, starts: ReadonlySet<number>) {
    this.#sources = sources;
    this.#starts = starts;
    this.#sortsMarks = sources.normalizer.normalizeString(`a${LAST_MARK}${FIRST_MARK}`).length !== 3;
  }

  learn(codePoint: number): number {
    const place = this.#placeOf(codePoint);
    const mayStart = place !== SLOW && this.#starts.has(codePoint);
    return (this.places[codePoint] = mayStart ? -place : place);
  }

  /** Writes what becomes of a code point of a word into `word` at a place. @returns the place behind it. */
  spell(codePoint: number, word: Uint16Array, at: number): number {
    const unit = this.#units[codePoint] ?? 0;
    if (unit !== 0) {
      word[at] = unit;
      return at + 1;
    }
    const spelling = this.#spellings.get(codePoint) ?? '';
    for (let index = 0; index < spelling.length; index += 1) word[at + index] = spelling.charCodeAt(index);
    return at + spelling.length;
  }

  #placeOf(codePoint: number): number {
    const { normalizer, preTokenizer, refused, idOf } = this.#sources;
    const around = normalizer.normalizeString(`a${String.fromCodePoint(codePoint)}a`);
    const spelling = around.slice(1, -1);
    const characters = Array.from(spelling);
    const isRefused = (character: string): boolean => refused.has(character.codePointAt(0) ?? 0);
    if (refused.has(codePoint) || characters.some(isRefused)) return SLOW;
    if (this.#sortsMarks && characters.some((character) => this.#isMark(character))) return SLOW;
    const words = preTokenizer.preTokenizeString(around).map(([word]) => word);
    const [first, second = '', third] = words;
    if (words.length === 1 && first === around) return this.#keep(codePoint, spelling);
    if (first !== 'a') return SLOW;
    if (words.length === 2 && second === 'a') return SPACE;
    const isLone = words.length === 3 && third === 'a' && Array.from(second).length === 1;
    return isLone ? LONE + idOf(second) : SLOW;
  }

  #keep(codePoint: number, spelling: string): number {
    const unit = spelling.length === 1 ? spelling.charCodeAt(0) : 0;
    if (codePoint < 0x10000 && unit !== 0) this.#units[codePoint] = unit;
    else this.#spellings.set(codePoint, spelling);
    return WORD;
  }

  /** Whether decomposition moves a code point past others: between the first and the last it shows. */
  #isMark(character: string): boolean {
    const unsorted = LAST_MARK + character + FIRST_MARK;
    return this.#sources.decompose.normalizeString(unsorted) !== unsorted;
  }
}

// Canonical combining classes 1 and 240, the lowest and the highest that there are.
const FIRST_MARK = '\u0334';
const LAST_MARK = '\u0345';
