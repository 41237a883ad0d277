import { FarmError } from '@embedfarm/contract';
import type { Tokenizer as NativeTokenizer } from 'tokenizers';

/** The special tokens around and between the two segments of a pair. */
export interface PairTemplate {
  readonly before: Int32Array;
  readonly between: Int32Array;
  readonly after: Int32Array;
  /** Token type from the second segment's first token on; all before it have 0. */
  readonly secondType: 0 | 1;
}

/**
 * What the tokenizer's own post-processor does with a pair, read off a short one: `[CLS] a [SEP] b [SEP]` with types
 * 0 and 1 in BERT, `<s> a </s></s> b </s>` with type 0 alone in RoBERTa.
 *
 * @throws FarmError `invalid_argument` naming the file, for a layout that is neither of these.
 */
export async function readPairTemplate(native: NativeTokenizer, path: string): Promise<PairTemplate> {
  const encoding = await native.encode('a', 'b', { addSpecialTokens: true });
  const ids = Int32Array.from(encoding.getIds());
  const types = encoding.getTypeIds();
  const segments = encoding.getSequenceIds().map((segment) => segment ?? undefined);
  const firstAt = segments.indexOf(0);
  const secondAt = segments.indexOf(1);
  const firstEnd = segments.lastIndexOf(0) + 1;
  const secondEnd = segments.lastIndexOf(1) + 1;
  const secondType = types[secondAt] ?? 0;
  const isKnown =
    firstAt >= 0 &&
    firstEnd <= secondAt &&
    (secondType === 0 || secondType === 1) &&
    types.every((type, place) => type === (place < secondAt ? 0 : secondType));
  if (!isKnown) {
    throw new FarmError(
      'invalid_argument',
      `${path} lays out a pair as segments ${segments.join(' ')} of types ${types.join(' ')}, which is not known`,
    );
  }
  return {
    before: ids.slice(0, firstAt),
    between: ids.slice(firstEnd, secondAt),
    after: ids.slice(secondEnd),
    secondType,
  };
}
