import { FarmError, type EncodeOptions } from '@embedfarm/contract';
import type { Encoding, Tokenizer as NativeTokenizer } from 'tokenizers';
import type { SequenceMarks } from '../batch/sequence-batch.ts';
import type { ModelSpec } from '../model/model-spec.ts';
import { encodeStrings } from './encode-strings.ts';
import { loadTokenizer } from './load-tokenizer.ts';
import { LoopTurn } from './loop-turn.ts';
import { openWordPiece } from './open-word-piece.ts';
import { readPairTemplate, type PairTemplate } from './pair-template.ts';
import { SegmentTokenizer } from './segment-tokenizer.ts';
import { isSegmented, unitsOf, type SegmentedText, type TokenizerText } from './tokenizer-text.ts';
import type { WordPiece } from './word-piece.ts';

export interface Sequence extends SequenceMarks {
  /** Special tokens included. */
  readonly ids: Int32Array;
  /** Whether the text lost its end or start. */
  readonly truncated: boolean;
}

/** One text: its sequence, or why it has none. */
export type TokenizedText = Sequence | FarmError;

type Truncate = EncodeOptions['truncate'];

// The library's results are made on the main loop: 32 texts block it for well under 1 ms, 8,192 for half a
// second.
const MAX_PART_TEXTS = 32;
const MAX_PART_UNITS = 65_536;

/**
 * Texts → token ids, equal to Hugging Face's `tokenizers`. As there, a special token written out in a text
 * (`[SEP]`) becomes that token.
 */
export class Tokenizer {
  readonly maxSequenceLength: number;
  readonly #spec: ModelSpec;
  readonly #prefix: Int32Array;
  readonly #suffix: Int32Array;
  readonly #pair: PairTemplate;
  #segments: Promise<SegmentTokenizer> | undefined;
  /** Most texts' ids come from here. */
  readonly #wordPiece: WordPiece | undefined;
  readonly #turn = new LoopTurn();
  /** One per way to truncate: the native object holds it as a setting. */
  readonly #natives = new Map<Truncate, Promise<NativeTokenizer>>();
  readonly #tokenById: string[] = [];
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    spec: ModelSpec,
    { prefix, suffix, pair }: { prefix: Int32Array; suffix: Int32Array; pair: PairTemplate },
    wordPiece: WordPiece | undefined,
  ) {
    this.#spec = spec;
    this.maxSequenceLength = spec.maxSequenceLength;
    this.#prefix = prefix;
    this.#suffix = suffix;
    this.#pair = pair;
    this.#wordPiece = wordPiece;
  }

  static async open(spec: ModelSpec): Promise<Tokenizer> {
    const native = await loadTokenizer(spec);
    const { path } = spec.files.tokenizer;
    const special = {
      ...(await findSpecialTokens(native, path)),
      pair: await readPairTemplate(native, path),
    };
    const tokenizer = new Tokenizer(spec, special, await openWordPiece(spec, native));
    if (tokenizer.#maxInner < 1) {
      throw new FarmError(
        'invalid_argument',
        `${spec.files.tokenizer.path} adds ${special.prefix.length + special.suffix.length} tokens to a text, the model takes ${spec.maxSequenceLength}`,
      );
    }
    tokenizer.#natives.set('end', Promise.resolve(tokenizer.#cutting(native, 'end')));
    return tokenizer;
  }

  /** Special tokens that stand before and after every text, and between the segments of a pair. */
  get specialTokens(): { readonly first: number; readonly between: number; readonly last: number } {
    return { first: this.#prefix.length, between: this.#pair.between.length, last: this.#suffix.length };
  }

  /** Whether the second segment of a pair has token type 1. */
  get typesSegments(): boolean {
    return this.#pair.secondType === 1;
  }

  /** Tokens of a sequence without its special ones. */
  get #maxInner(): number {
    return this.maxSequenceLength - this.#prefix.length - this.#suffix.length;
  }

  /**
   * The texts in small parts, in their order; the main loop goes on at least once a millisecond. Parts of
   * calls side by side take turns: the work runs on one thread beside the devices. Ends early once `isOver` holds.
   */
  async *tokenize(
    texts: readonly TokenizerText[],
    truncate: Truncate,
    isOver: () => boolean = () => false,
  ): AsyncGenerator<TokenizedText[]> {
    let from = 0;
    while (from < texts.length) {
      if (isOver()) return;
      const to = endOfPart(texts, from);
      const part = texts.slice(from, to);
      from = to;
      const turn = this.#last.then(() => this.#tokenizePart(part, truncate));
      this.#last = turn.catch(() => undefined);
      yield await turn;
    }
  }

  async #tokenizePart(texts: readonly TokenizerText[], truncate: Truncate): Promise<TokenizedText[]> {
    const strings = await this.#tokenizeStrings(
      texts.filter((text) => typeof text === 'string'),
      truncate,
    );
    const segmented = await this.#tokenizeSegmented(texts.filter(isSegmented), truncate);
    const [nextString, nextSegmented] = [strings.values(), segmented.values()];
    return texts.map((text) => {
      if (text instanceof FarmError) return text;
      const { value } = (typeof text === 'string' ? nextString : nextSegmented).next();
      return value ?? new FarmError('internal', 'the tokenizer gave too few rows');
    });
  }

  async #tokenizeStrings(texts: readonly string[], truncate: Truncate): Promise<TokenizedText[]> {
    const rows: (TokenizedText | undefined)[] = [];
    for (const text of texts) {
      if (this.#turn.isLong) await this.#turn.end;
      rows.push(this.#tokenizeHere(text, truncate));
    }
    const others = texts.filter((_, index) => rows[index] === undefined);
    const encodings = others.length > 0 ? await encodeStrings(await this.#native(truncate), others) : [];
    const next = encodings.values();
    const tooFew = new FarmError('internal', 'the tokenizer gave too few rows');
    return rows.map((row) => row ?? this.#sequenceOf(next.next().value ?? tooFew, truncate));
  }

  /** @returns undefined for a text that is for the library. */
  #tokenizeHere(text: string, truncate: Truncate): TokenizedText | undefined {
    const inner = this.#wordPiece?.encode(text, truncate === 'end' ? this.#maxInner + 1 : Infinity);
    return inner && (this.#refuse(inner.length, truncate) ?? this.#cut(inner, truncate));
  }

  async #tokenizeSegmented(texts: readonly SegmentedText[], truncate: Truncate): Promise<TokenizedText[]> {
    if (texts.length === 0) return [];
    this.#segments ??= this.#native('error').then(
      (native) =>
        new SegmentTokenizer({
          native,
          wordPiece: this.#wordPiece,
          single: { before: this.#prefix, after: this.#suffix },
          pair: this.#pair,
          maxSequenceLength: this.maxSequenceLength,
        }),
    );
    return (await this.#segments).sequencesOf(texts, truncate);
  }

  #sequenceOf(encoding: Encoding | FarmError, truncate: Truncate): TokenizedText {
    if (encoding instanceof FarmError) return encoding;
    return this.#refuse(encoding.getLength(), truncate) ?? this.#cut(encoding.getIds(), truncate);
  }

  #refuse(length: number, truncate: Truncate): FarmError | undefined {
    if (truncate !== 'error' || length <= this.#maxInner) return undefined;
    const whole = length + this.#prefix.length + this.#suffix.length;
    return new FarmError(
      'sequence_too_long',
      `the text has ${whole} tokens, limit is ${this.maxSequenceLength}`,
    );
  }

  #cut(inner: number[] | Int32Array, truncate: Truncate): Sequence {
    const kept = Math.min(inner.length, this.#maxInner);
    const from = truncate === 'start' ? inner.length - kept : 0;
    const ids = new Int32Array(this.#prefix.length + kept + this.#suffix.length);
    ids.set(this.#prefix);
    ids.set(inner.slice(from, from + kept), this.#prefix.length);
    ids.set(this.#suffix, this.#prefix.length + kept);
    return { ids, truncated: kept < inner.length };
  }

  /**
   * Tokens of a sequence that begins with a prompt, up to the prompt's last one.
   *
   * @throws FarmError `invalid_argument` for a prompt that leaves no room for a text's first token.
   */
  async promptLength(prompt: string): Promise<number> {
    const [sequence] = await this.#tokenizeStrings([prompt], 'end');
    if (!sequence || sequence instanceof FarmError) {
      throw sequence ?? new FarmError('internal', 'the tokenizer gave too few rows');
    }
    if (sequence.ids.length < this.maxSequenceLength) return sequence.ids.length - this.#suffix.length;
    throw new FarmError(
      'invalid_argument',
      `prompt is too long: with special tokens it fills the ${this.maxSequenceLength} tokens that the model takes, ` +
        'and leaves none for a text',
    );
  }

  /** The tokens of each sequence as the vocabulary writes them; of a text that failed none. */
  async tokensOf(texts: readonly TokenizedText[]): Promise<string[][]> {
    const native = await this.#native('end');
    // A look-up in the library costs about 1 µs.
    const tokenOf = (id: number): string => (this.#tokenById[id] ??= native.idToToken(id) ?? '');
    return texts.map((text) => (text instanceof FarmError ? [] : Array.from(text.ids, tokenOf)));
  }

  /** The other ways to truncate are rare, and loaded when they are first asked for. */
  #native(truncate: Truncate): Promise<NativeTokenizer> {
    const known = this.#natives.get(truncate);
    if (known) return known;
    const loading = loadTokenizer(this.#spec).then((native) => this.#cutting(native, truncate));
    this.#natives.set(truncate, loading);
    loading.catch(() => this.#natives.delete(truncate));
    return loading;
  }

  #cutting(native: NativeTokenizer, truncate: Truncate): NativeTokenizer {
    // An error names the whole length.
    if (truncate === 'error') return native;
    // One token too many is kept, so that a cut shows; the rest of a long text never reaches the main loop.
    native.setTruncation(this.#maxInner + 1, { direction: truncate === 'start' ? 'left' : 'right' });
    return native;
  }
}

function endOfPart(texts: readonly TokenizerText[], from: number): number {
  let units = 0;
  let to = from;
  while (to < texts.length && to - from < MAX_PART_TEXTS) {
    units += unitsOf(texts[to] ?? '');
    if (to > from && units > MAX_PART_UNITS) break;
    to += 1;
  }
  return to;
}

/** What stands before and after the tokens of a text: the places are read off a short text. */
async function findSpecialTokens(
  native: NativeTokenizer,
  path: string,
): Promise<{ prefix: Int32Array; suffix: Int32Array }> {
  const encode = async (addSpecialTokens: boolean): Promise<number[]> => {
    try {
      return (await native.encode('a', null, { addSpecialTokens })).getIds();
    } catch (cause) {
      throw new FarmError('invalid_argument', `${path}: ${FarmError.from(cause).detail}`, { cause });
    }
  };
  const [bare, whole] = [await encode(false), await encode(true)];
  for (let at = 0; at + bare.length <= whole.length; at += 1) {
    if (bare.length > 0 && bare.every((id, index) => whole[at + index] === id)) {
      return {
        prefix: Int32Array.from(whole.slice(0, at)),
        suffix: Int32Array.from(whole.slice(at + bare.length)),
      };
    }
  }
  throw new FarmError(
    'invalid_argument',
    `${path} gives ids ${whole.join(' ')} for 'a', without ${bare.join(' ')}`,
  );
}
