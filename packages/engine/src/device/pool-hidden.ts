export const POOLINGS = ['mean', 'cls', 'max'] as const;
/** Hidden states of a sequence → one vector. */
export type Pooling = (typeof POOLINGS)[number];

/** Where the tokens of the rows stand in the hidden states. */
export interface HiddenRows {
  /** shape `[tokens or slots, size]`, float32. */
  readonly hidden: Float32Array;
  readonly size: number;
  /** shape `[rows]`: place of each row's first token. */
  readonly starts: Int32Array;
  /** shape `[rows]`: real tokens; slots past them do not count. */
  readonly lengths: Int32Array;
}

/**
 * One vector per row, of its real tokens, special tokens included. Sums run in float64 in token order, so
 * the bits of a row depend on that row alone.
 *
 * @returns shape `[rows, size]`, float32, not normalized.
 *
 * Source: Reimers & Gurevych, "Sentence-BERT", 2019 (https://arxiv.org/abs/1908.10084), section 3.
 */
export function poolHidden(rows: HiddenRows, pooling: Pooling): Float32Array {
  const { hidden, size, starts, lengths } = rows;
  const pooled = new Float32Array(lengths.length * size);
  const sums = new Float64Array(size);
  for (let row = 0; row < lengths.length; row += 1) {
    const from = (starts[row] ?? 0) * size;
    const to = from + (lengths[row] ?? 0) * size;
    const target = pooled.subarray(row * size, (row + 1) * size);
    switch (pooling) {
      case 'cls':
        target.set(hidden.subarray(from, from + size));
        break;
      case 'mean':
        meanOf(hidden, from, to, sums, target);
        break;
      case 'max':
        maxOf(hidden, from, to, target);
        break;
    }
  }
  return pooled;
}

function meanOf(
  hidden: Float32Array,
  from: number,
  to: number,
  sums: Float64Array,
  target: Float32Array,
): void {
  const size = target.length;
  sums.fill(0);
  for (let at = from; at < to; at += size) {
    for (let index = 0; index < size; index += 1) sums[index]! += hidden[at + index]!;
  }
  const count = (to - from) / size;
  for (let index = 0; index < size; index += 1) target[index] = sums[index]! / count;
}

function maxOf(hidden: Float32Array, from: number, to: number, target: Float32Array): void {
  const size = target.length;
  target.set(hidden.subarray(from, from + size));
  for (let at = from + size; at < to; at += size) {
    for (let index = 0; index < size; index += 1) {
      if (hidden[at + index]! > target[index]!) target[index] = hidden[at + index]!;
    }
  }
}
