import type { Pooling } from '@embedfarm/checkpoint/pooling';
import { countedPlaces, NOTHING_MASKED, type MaskedEnds } from './masked-ends.ts';

/** Where the tokens of the rows stand in the hidden states. */
export interface HiddenRows {
  /** shape `[tokens or slots, size]`, float32. */
  readonly hidden: Float32Array;
  readonly size: number;
  /** shape `[rows]`: place of each row's first token. */
  readonly starts: Int32Array;
  /** shape `[rows]`: real tokens; slots past them do not count. */
  readonly lengths: Int32Array;
  /** Real tokens that do not count either; none by default. */
  readonly masked?: MaskedEnds;
}

/** What a masked token's states lose before the maximum: where all are masked, little else is left. */
const MASKED_MAX = -1e30;

/** Numbers of a vector, for hidden states of `size`. */
export function pooledSize(size: number, pooling: Pooling): number {
  return pooling === 'mean_max' ? 2 * size : size;
}

/**
 * The vectors of each row, of its real tokens, special tokens included. Sums run in float64 in token order,
 * so the bits of a row depend on that row alone.
 *
 * A row whose tokens are all masked has the mean 0, the maximum -1e30 and the last token 0; the first token
 * is taken even when it is masked. With n tokens that count, the last one is that at place n - 1: behind
 * a masked first token, the last but one.
 *
 * @returns shape `[rows, pooledSize]`, for `none` `[tokens, size]`; float32, not normalized.
 *
 * Source: Reimers & Gurevych, "Sentence-BERT", 2019 (https://arxiv.org/abs/1908.10084), section 3;
 * https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/graph.py.
 */
export function poolHidden(rows: HiddenRows, pooling: Pooling): Float32Array {
  const { hidden, size, starts, lengths, masked = NOTHING_MASKED } = rows;
  if (pooling === 'none') return tokenRows(rows);
  const width = pooledSize(size, pooling);
  const pooled = new Float32Array(lengths.length * width);
  const sums = new Float64Array(size);
  for (let row = 0; row < lengths.length; row += 1) {
    const first = starts[row] ?? 0;
    const { begin, end } = countedPlaces(lengths[row] ?? 0, masked);
    const from = (first + begin) * size;
    const to = (first + end) * size;
    const target = pooled.subarray(row * width, (row + 1) * width);
    switch (pooling) {
      case 'cls':
      case 'cls_pooled':
        target.set(hidden.subarray(first * size, (first + 1) * size));
        break;
      case 'last_token': {
        const last = (first + end - begin - 1) * size;
        if (end > begin) target.set(hidden.subarray(last, last + size));
        break;
      }
      case 'mean':
        meanOf(hidden, from, to, sums, target);
        break;
      case 'max':
        maxOf(hidden, from, to, target);
        break;
      case 'mean_max':
        meanOf(hidden, from, to, sums, target.subarray(0, size));
        maxOf(hidden, from, to, target.subarray(size));
        break;
    }
  }
  return pooled;
}

/** The states of real tokens, row after row; those of masked ones are 0. */
function tokenRows({ hidden, size, starts, lengths, masked = NOTHING_MASKED }: HiddenRows): Float32Array {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const all = new Float32Array(tokens * size);
  let at = 0;
  for (let row = 0; row < lengths.length; row += 1) {
    const first = starts[row] ?? 0;
    const length = lengths[row] ?? 0;
    const { begin, end } = countedPlaces(length, masked);
    all.set(hidden.subarray((first + begin) * size, (first + end) * size), (at + begin) * size);
    at += length;
  }
  return all;
}

// bert-as-service divides by count + 1e-10, which is the count in float32.
function meanOf(
  hidden: Float32Array,
  from: number,
  to: number,
  sums: Float64Array,
  target: Float32Array,
): void {
  if (from === to) return;
  const size = target.length;
  sums.fill(0);
  for (let at = from; at < to; at += size) {
    for (let index = 0; index < size; index += 1) sums[index]! += hidden[at + index]!;
  }
  const count = (to - from) / size;
  for (let index = 0; index < size; index += 1) target[index] = sums[index]! / count;
}

function maxOf(hidden: Float32Array, from: number, to: number, target: Float32Array): void {
  if (from === to) {
    target.fill(MASKED_MAX);
    return;
  }
  const size = target.length;
  target.set(hidden.subarray(from, from + size));
  for (let at = from + size; at < to; at += size) {
    for (let index = 0; index < size; index += 1) {
      if (hidden[at + index]! > target[index]!) target[index] = hidden[at + index]!;
    }
  }
}
