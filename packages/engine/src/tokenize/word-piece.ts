import { LONE, SLOW, UNKNOWN, WORD, type CodePoints } from './code-points.ts';
import type { PieceTrie } from './piece-trie.ts';
import { WordCache } from './word-cache.ts';

export interface WordPieceParts {
  readonly codePoints: CodePoints;
  readonly trie: PieceTrie;
  /** Tokens that are looked for in the raw text, longest first. */
  readonly literals: readonly { readonly content: string; readonly id: number }[];
  readonly unknownId: number;
  /** A longer word is the unknown token. */
  readonly maxWordCharacters: number;
}

// What one text may cost the main loop: 1 ms, be its words new or made to be slow.
const MAX_UNITS = 16_384;
// Each is asked of the library once: 2 ms more.
const MAX_NEW_CODE_POINTS = 512;
// Canonical decomposition makes at most 4 units of one: https://unicode.org/faq/normalization.html
const MAX_EXPANSION = 4;

/**
 * BERT's tokenizer on the calling thread, equal to `tokenizers`. What it cannot promise to be equal, or
 * would take too long, it leaves to the library. See docs/decisions/0017.
 *
 * Source: https://github.com/google-research/bert/blob/master/tokenization.py, FullTokenizer.
 */
export class WordPiece {
  readonly #parts: WordPieceParts;
  readonly #cache = new WordCache();
  /** The word at hand, normalized. */
  readonly #word: Uint16Array;
  readonly #ids = new Int32Array(MAX_UNITS * MAX_EXPANSION);
  #count = 0;

  constructor(parts: WordPieceParts) {
    this.#parts = parts;
    this.#word = new Uint16Array(2 * parts.maxWordCharacters + 2 * MAX_EXPANSION);
  }

  /**
   * Token ids of a text, without those that stand around every text.
   *
   * @param enough where the text has as many tokens or more, some of the rest may be left out.
   * @returns a view that holds until the next call, or undefined where the text is one for the library.
   */
  encode(text: string, enough: number): Int32Array | undefined {
    const { codePoints } = this.#parts;
    const { places } = codePoints;
    const end = Math.min(text.length, MAX_UNITS);
    if (end < text.length && enough > end * MAX_EXPANSION) return undefined;
    this.#count = 0;
    let learned = 0;
    let from = 0;
    let at = 0;
    while (at < end && this.#count < enough) {
      const unit = text.charCodeAt(at);
      const isPair = (unit & 0xf800) === 0xd800;
      const codePoint = isPair ? (text.codePointAt(at) ?? 0) : unit;
      let place = places[codePoint] ?? SLOW;
      if (place === UNKNOWN) {
        const isLoneSurrogate = isPair && codePoint < 0x10000;
        learned += 1;
        if (isLoneSurrogate || learned > MAX_NEW_CODE_POINTS) return undefined;
        place = codePoints.learn(codePoint);
      }
      let width = codePoint < 0x10000 ? 1 : 2;
      if (place < 0) {
        const literal = this.#parts.literals.find(({ content }) => text.startsWith(content, at));
        width = literal?.content.length ?? width;
        place = literal ? LONE + literal.id : -place;
      }
      if (place !== WORD) {
        if (place === SLOW) return undefined;
        if (at > from) this.#putWord(text, from, at);
        if (place >= LONE) this.#put(place - LONE);
        from = at + width;
      }
      at += width;
    }
    if (this.#count < enough) {
      if (end < text.length) return undefined;
      if (at > from) this.#putWord(text, from, at);
    }
    return this.#ids.subarray(0, this.#count);
  }

  #put(id: number): void {
    this.#ids[this.#count] = id;
    this.#count += 1;
  }

  #putWord(text: string, from: number, to: number): void {
    const begin = this.#count;
    const found = this.#cache.read(text, from, to, this.#ids, begin);
    if (found >= 0) {
      this.#count += found;
      return;
    }
    if (!this.#cutWord(text, from, to)) {
      this.#count = begin;
      this.#put(this.#parts.unknownId);
    }
    this.#cache.put(text, from, to, this.#ids, begin, this.#count);
  }

  /** Always the longest piece that there is. @returns false for an unknown word. */
  #cutWord(text: string, from: number, to: number): boolean {
    const { trie } = this.#parts;
    const length = this.#spell(text, from, to);
    if (length < 0) return false;
    for (let at = 0; at < length; at = trie.end) {
      const id = trie.longest(at === 0 ? trie.start : trie.inside, this.#word, at, length);
      if (id < 0) return false;
      this.#put(id);
    }
    return true;
  }

  /** Writes the word as the normalizer makes it. @returns its units, -1 for too many characters. */
  #spell(text: string, from: number, to: number): number {
    const { codePoints, maxWordCharacters } = this.#parts;
    let length = 0;
    let characters = 0;
    for (let at = from; at < to; at += 1) {
      const codePoint = text.codePointAt(at) ?? 0;
      if (codePoint > 0xffff) at += 1;
      const next = codePoints.spell(codePoint, this.#word, length);
      for (; length < next; length += 1) {
        const isSecondOfPair = ((this.#word[length] ?? 0) & 0xfc00) === 0xdc00;
        if (!isSecondOfPair) characters += 1;
      }
      if (characters > maxWordCharacters) return -1;
    }
    return length;
  }
}
