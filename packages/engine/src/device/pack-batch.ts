import { SLOT_MULTIPLE } from '@embedfarm/checkpoint/slot-multiple';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import { attendedPlaces, NOTHING_MASKED, type MaskedEnds } from './masked-ends.ts';

/** The inputs of a packed graph: no padding but in attention. T tokens, B rows, S slots per row. */
export interface PackedInputs {
  /** S: the longest row, rounded up to a multiple of SLOT_MULTIPLE. */
  readonly slots: number;
  /** shape `[T]` */
  readonly positions: Int32Array;
  /** shape `[B, 1, S]`: for every slot the place of its token in `0..T-1`; past the row's end, that of its first token. */
  readonly pad: Int32Array;
  /** shape `[T]`: for token t of row b at place s its row of the padded context of head 0, `b·A·S + s`. */
  readonly unpad: Int32Array;
  /** shape `[B, 1, 1, S]`: 0 for a real slot, -1e9 for a masked one and past the row's end. */
  readonly bias: Float32Array;
  /** shape `[B]`: place of each row's first token. */
  readonly starts: Int32Array;
}

// Its exponential is 0 in float32, so a slot past the end adds nothing to any sum.
const UNSEEN = -1e9;

export function packBatch(
  { ids, lengths, seconds }: SequenceBatch,
  heads: number,
  masked: MaskedEnds = NOTHING_MASKED,
): PackedInputs {
  const rows = lengths.length;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  // A row's bits depend on the number of its slots where the runtime adds four at a time.
  const slots = Math.ceil(longest / SLOT_MULTIPLE) * SLOT_MULTIPLE;
  const positions = new Int32Array(ids.length);
  const pad = new Int32Array(rows * slots);
  const unpad = new Int32Array(ids.length);
  const bias = new Float32Array(rows * slots);
  const starts = new Int32Array(rows);
  let start = 0;
  for (let row = 0; row < rows; row += 1) {
    const length = lengths[row] ?? 0;
    starts[row] = start;
    for (let slot = 0; slot < length; slot += 1) {
      positions[start + slot] = slot;
      unpad[start + slot] = row * heads * slots + slot;
      pad[row * slots + slot] = start + slot;
    }
    pad.fill(start, row * slots + length, (row + 1) * slots);
    bias.fill(UNSEEN, row * slots, (row + 1) * slots);
    for (const { begin, end } of attendedPlaces(length, masked, seconds?.[row])) {
      bias.fill(0, row * slots + begin, row * slots + end);
    }
    start += length;
  }
  return { slots, positions, pad, unpad, bias, starts };
}
