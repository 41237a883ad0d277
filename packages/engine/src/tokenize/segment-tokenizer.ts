import { FarmError, type EncodeOptions, type TokenList } from '@embedfarm/contract';
import type { Encoding, Tokenizer as NativeTokenizer } from 'tokenizers';
import { encodeStrings } from './encode-strings.ts';
import { longestFirst } from './longest-first.ts';
import type { PairTemplate } from './pair-template.ts';
import type { Sequence, TokenizedText } from './tokenizer.ts';
import type { WordPiece } from './word-piece.ts';
import type { Segment, SegmentedText } from './tokenizer-text.ts';

export interface SegmentTokenizerParts {
  /** Cuts and pads nothing by itself. */
  readonly native: NativeTokenizer;
  /** Most strings' ids come from here. */
  readonly wordPiece: WordPiece | undefined;
  /** Special tokens before and after a lone segment. */
  readonly single: { readonly before: Int32Array; readonly after: Int32Array };
  readonly pair: PairTemplate;
  readonly maxSequenceLength: number;
}

/** Names of the token for what a vocabulary does not hold: BERT's, RoBERTa's. */
const UNKNOWN_TOKENS = ['[UNK]', '<unk>'];

const NO_IDS = new Int32Array(0);

/**
 * Pairs and lists of tokens → sequences. A string is tokenized as it is alone; of a list each token is looked up as it
 * is, and one that is not in the vocabulary is the unknown token; an id stands for itself.
 *
 * Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/bert/extract_features.py,
 * but that a pair of lists is told by its form, not by a token `|||`.
 */
export class SegmentTokenizer {
  readonly #parts: SegmentTokenizerParts;
  readonly #unknownId: number | null;
  /** Ids that the vocabulary was seen to have: a look-up in the library costs about 1 µs. */
  readonly #knownIds = new Set<number>();

  constructor(parts: SegmentTokenizerParts) {
    this.#parts = parts;
    const ids = UNKNOWN_TOKENS.map((token) => parts.native.tokenToId(token));
    this.#unknownId = ids.find((id) => id !== null) ?? null;
  }

  async sequencesOf(
    texts: readonly SegmentedText[],
    truncate: EncodeOptions['truncate'],
  ): Promise<TokenizedText[]> {
    const segments = texts.flatMap((text): readonly Segment[] => text.segments);
    const here = segments.map((segment) => this.#idsHere(segment));
    const others = segments.filter((segment, at) => typeof segment === 'string' && here[at] === undefined);
    const encodings = (await encodeStrings(this.#parts.native, others as readonly string[])).values();
    const cuttable = here.map((ids) => ids ?? cuttableEncoding(encodings.next().value));
    let next = 0;
    return texts.map((text) => {
      const own = cuttable.slice(next, next + text.segments.length);
      next += own.length;
      return this.#sequenceOf(own, truncate);
    });
  }

  #sequenceOf(
    segments: readonly (CuttableIds | FarmError)[],
    truncate: EncodeOptions['truncate'],
  ): TokenizedText {
    const fault = segments.find((segment) => segment instanceof FarmError);
    if (fault instanceof FarmError) return fault;
    const [first, second] = segments as readonly CuttableIds[];
    if (!first) return new FarmError('internal', 'a text without segments');
    const { maxSequenceLength, single, pair } = this.#parts;
    const { before, between, after } = second ? pair : { ...single, between: NO_IDS };
    const special = before.length + between.length + after.length;
    const length = first.length + (second?.length ?? 0);
    const room = maxSequenceLength - special;
    const truncated = length > room;
    if (room < 0 || (truncated && truncate === 'error')) {
      const fault = `the text has ${length + special} tokens, limit is ${maxSequenceLength}`;
      return new FarmError('sequence_too_long', fault);
    }
    const [keepFirst, keepSecond] = longestFirst(first.length, second?.length ?? 0, room);
    const parts = [
      before,
      first.cut(keepFirst, truncate),
      between,
      second?.cut(keepSecond, truncate) ?? NO_IDS,
      after,
    ];
    const secondAt = before.length + keepFirst + between.length;
    return { ids: joined(parts), truncated, ...(second ? { secondAt } : {}) };
  }

  /** @returns undefined for a string that is for the library. */
  #idsHere(segment: Segment): CuttableIds | FarmError | undefined {
    if (typeof segment !== 'string') return this.#lookUp(segment);
    const ids = this.#parts.wordPiece?.encode(segment, Infinity);
    // Its next call writes over them.
    return ids && cuttableIds(ids.slice());
  }

  #lookUp(tokens: TokenList): CuttableIds | FarmError {
    const { native } = this.#parts;
    if (isIds(tokens)) return this.#checkIds(tokens);
    const ids = new Int32Array(tokens.length);
    for (const [place, token] of tokens.entries()) {
      const id = native.tokenToId(token) ?? this.#unknownId;
      if (id === null) {
        const fault = `the vocabulary has no token ${JSON.stringify(token)}, and none that stands for unknown ones`;
        return new FarmError('invalid_argument', fault);
      }
      ids[place] = id;
    }
    return cuttableIds(ids);
  }

  #checkIds(ids: readonly number[]): CuttableIds | FarmError {
    for (const id of ids) {
      if (this.#knownIds.has(id)) continue;
      if (this.#parts.native.idToToken(id) === null)
        return new FarmError('invalid_argument', `the vocabulary has no token with the id ${id}`);
      this.#knownIds.add(id);
    }
    return cuttableIds(Int32Array.from(ids));
  }
}

function isIds(tokens: TokenList): tokens is readonly number[] {
  return typeof tokens[0] === 'number';
}

/** Ids of a segment, of which so many are taken. */
interface CuttableIds {
  readonly length: number;
  cut(count: number, side: EncodeOptions['truncate']): Int32Array;
}

function cuttableIds(ids: Int32Array): CuttableIds {
  return {
    length: ids.length,
    cut: (count, side) => (side === 'start' ? ids.subarray(ids.length - count) : ids.subarray(0, count)),
  };
}

function cuttableEncoding(encoding: Encoding | FarmError | undefined): CuttableIds | FarmError {
  if (encoding === undefined) return new FarmError('internal', 'the tokenizer gave too few rows');
  if (encoding instanceof FarmError) return encoding;
  return {
    length: encoding.getLength(),
    cut: (count, side) => {
      // What is cut stays on the library's side.
      encoding.truncate(count, 0, side === 'start' ? 'left' : 'right');
      return Int32Array.from(encoding.getIds());
    },
  };
}

function joined(parts: readonly Int32Array[]): Sequence['ids'] {
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return ids;
}
