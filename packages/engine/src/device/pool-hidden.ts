import type { Pooling } from '@embedfarm/checkpoint/pooling';
import {
  countedPlaces,
  countPlaces,
  NOTHING_MASKED,
  placesFrom,
  type MaskedEnds,
  type Places,
} from './masked-ends.ts';

/** Where the tokens of the rows stand in the hidden states. */
export interface HiddenRows {
  /** shape `[tokens or slots, size]`, float32. */
  readonly hidden: Float32Array;
  readonly size: number;
  /** shape `[rows]`: place of each row's first token. */
  readonly starts: Int32Array;
  /** shape `[rows]`: real tokens; slots past them do not count. */
  readonly lengths: Int32Array;
  /** As in SequenceBatch. */
  readonly seconds?: Int32Array | undefined;
  readonly unpooled?: Int32Array | undefined;
  /** Real tokens that do not count either; none by default. */
  readonly masked?: MaskedEnds | undefined;
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
 * Of a row with `unpooled` tokens mean and maximum leave these out, and the first token is the one after them, as with
 * `include_prompt: false` in sentence-transformers; the last token and the states of `none` are as without.
 *
 * @returns shape `[rows, pooledSize]`, for `none` `[tokens, size]`; float32, not normalized.
 *
 * Source: Reimers & Gurevych, "Sentence-BERT", 2019 (https://arxiv.org/abs/1908.10084), section 3;
 * https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/graph.py.
 */
export function poolHidden(rows: HiddenRows, pooling: Pooling): Float32Array {
  const { hidden, size, starts, lengths, seconds, unpooled, masked = NOTHING_MASKED } = rows;
  if (pooling === 'none') return tokenRows(rows);
  const width = pooledSize(size, pooling);
  const pooled = new Float32Array(lengths.length * width);
  const sums = new Float64Array(size);
  for (let row = 0; row < lengths.length; row += 1) {
    const first = starts[row] ?? 0;
    const length = lengths[row] ?? 0;
    const skipped = unpooled?.[row] ?? 0;
    const counted = countedPlaces(length, masked, seconds?.[row]);
    const places = placesFrom(counted, skipped);
    const states = hidden.subarray(first * size, (first + length) * size);
    const target = pooled.subarray(row * width, (row + 1) * width);
    switch (pooling) {
      case 'cls':
      case 'cls_pooled': {
        const place = skipped < length ? skipped : 0;
        target.set(states.subarray(place * size, (place + 1) * size));
        break;
      }
      case 'last_token': {
        const last = (countPlaces(counted) - 1) * size;
        if (places.length > 0) target.set(states.subarray(last, last + size));
        break;
      }
      case 'mean':
        meanOf(states, places, sums, target);
        break;
      case 'max':
        maxOf(states, places, target);
        break;
      case 'mean_max':
        meanOf(states, places, sums, target.subarray(0, size));
        maxOf(states, places, target.subarray(size));
        break;
    }
  }
  return pooled;
}

/** The states of real tokens, row after row; those of masked ones are 0. */
function tokenRows({
  hidden,
  size,
  starts,
  lengths,
  seconds,
  masked = NOTHING_MASKED,
}: HiddenRows): Float32Array {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const all = new Float32Array(tokens * size);
  let at = 0;
  for (let row = 0; row < lengths.length; row += 1) {
    const first = starts[row] ?? 0;
    const length = lengths[row] ?? 0;
    for (const { begin, end } of countedPlaces(length, masked, seconds?.[row])) {
      all.set(hidden.subarray((first + begin) * size, (first + end) * size), (at + begin) * size);
    }
    at += length;
  }
  return all;
}

// bert-as-service divides by count + 1e-10, which is the count in float32.
function meanOf(
  states: Float32Array,
  places: readonly Places[],
  sums: Float64Array,
  target: Float32Array,
): void {
  const count = countPlaces(places);
  if (count === 0) return;
  const size = target.length;
  sums.fill(0);
  for (const { begin, end } of places) {
    for (let at = begin * size; at < end * size; at += size) {
      for (let index = 0; index < size; index += 1) sums[index]! += states[at + index]!;
    }
  }
  for (let index = 0; index < size; index += 1) target[index] = sums[index]! / count;
}

function maxOf(states: Float32Array, places: readonly Places[], target: Float32Array): void {
  const [first] = places;
  if (!first) {
    target.fill(MASKED_MAX);
    return;
  }
  const size = target.length;
  target.set(states.subarray(first.begin * size, (first.begin + 1) * size));
  for (const { begin, end } of places) {
    for (let at = begin * size; at < end * size; at += size) {
      for (let index = 0; index < size; index += 1) {
        if (states[at + index]! > target[index]!) target[index] = states[at + index]!;
      }
    }
  }
}
