/** Sequences that run together on one device: all their tokens, row after row, no padding. */
export interface SequenceBatch {
  /** shape `[tokens]`: token ids. */
  readonly ids: Int32Array;
  /** shape `[rows]`: sequence lengths, special tokens included; their sum is `tokens`. */
  readonly lengths: Int32Array;
  /**
   * shape `[rows]`: of a pair the place in its row of the second segment's first token; 0 for a row of one segment.
   * Left out where no row is a pair.
   */
  readonly seconds?: Int32Array;
  /**
   * shape `[rows]`: first tokens of each row that are attended to but not pooled: those of a prompt, and what stands
   * before it. Left out where all are pooled.
   */
  readonly unpooled?: Int32Array;
}

/** What is to be known of a sequence's tokens beside their ids. */
export interface SequenceMarks {
  /** Of a pair: the place of the second segment's first token. */
  readonly secondAt?: number;
  /** First tokens that are attended to but not pooled; none by default. */
  readonly unpooled?: number;
}

export function joinSequences(
  sequences: readonly Int32Array[],
  marks: readonly SequenceMarks[] = [],
): SequenceBatch {
  const lengths = Int32Array.from(sequences, (ids) => ids.length);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const sequence of sequences) {
    ids.set(sequence, at);
    at += sequence.length;
  }
  return {
    ids,
    lengths,
    ...(marks.some(({ secondAt }) => secondAt !== undefined) && {
      seconds: Int32Array.from(marks, ({ secondAt = 0 }) => secondAt),
    }),
    ...(marks.some(({ unpooled }) => unpooled !== undefined) && {
      unpooled: Int32Array.from(marks, ({ unpooled = 0 }) => unpooled),
    }),
  };
}

/** shape `[tokens]`: 1 from the second segment of a pair on, else 0. */
export function tokenTypes({ ids, lengths, seconds }: SequenceBatch): Int32Array {
  const types = new Int32Array(ids.length);
  if (!seconds) return types;
  let start = 0;
  for (const [row, length] of lengths.entries()) {
    const second = seconds[row] ?? 0;
    if (second > 0) types.fill(1, start + second, start + length);
    start += length;
  }
  return types;
}
