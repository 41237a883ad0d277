/** Sequences that run together on one device: all their tokens, row after row, no padding. */
export interface SequenceBatch {
  /** shape `[tokens]`: token ids. */
  readonly ids: Int32Array;
  /** shape `[rows]`: sequence lengths, special tokens included; their sum is `tokens`. */
  readonly lengths: Int32Array;
}

export function joinSequences(sequences: readonly Int32Array[]): SequenceBatch {
  const lengths = Int32Array.from(sequences, (ids) => ids.length);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const sequence of sequences) {
    ids.set(sequence, at);
    at += sequence.length;
  }
  return { ids, lengths };
}
