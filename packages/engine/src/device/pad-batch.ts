import { tokenTypes, type SequenceBatch } from '../batch/sequence-batch.ts';
import { attendedPlaces, NOTHING_MASKED, type MaskedEnds } from './masked-ends.ts';

/** The inputs of an ordinary export: every row padded to the longest one. B rows, S slots per row. */
export interface PaddedInputs {
  /** S */
  readonly slots: number;
  /** shape `[B, S]` */
  readonly ids: Int32Array;
  /** shape `[B, S]`: 1 for a real token, 0 for a masked one and past the row's end. */
  readonly mask: Int32Array;
  /** shape `[B, S]`: 1 from the second segment of a pair up to the row's end, else 0. */
  readonly types: Int32Array;
  /** shape `[B, S]`: 0, 1, 2 … in every row. */
  readonly positions: Int32Array;
  /** shape `[B]`: place of each row's first slot. */
  readonly starts: Int32Array;
}

export function padBatch(
  batch: SequenceBatch,
  padId: number,
  masked: MaskedEnds = NOTHING_MASKED,
): PaddedInputs {
  const { ids, lengths, seconds } = batch;
  const rows = lengths.length;
  const slots = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  const padded = new Int32Array(rows * slots).fill(padId);
  const mask = new Int32Array(rows * slots);
  const types = new Int32Array(rows * slots);
  const ownTypes = tokenTypes(batch);
  const positions = new Int32Array(rows * slots);
  const starts = new Int32Array(rows);
  let start = 0;
  for (let row = 0; row < rows; row += 1) {
    const length = lengths[row] ?? 0;
    starts[row] = row * slots;
    padded.set(ids.subarray(start, start + length), row * slots);
    types.set(ownTypes.subarray(start, start + length), row * slots);
    for (const { begin, end } of attendedPlaces(length, masked, seconds?.[row])) {
      mask.fill(1, row * slots + begin, row * slots + end);
    }
    for (let slot = 0; slot < slots; slot += 1) positions[row * slots + slot] = slot;
    start += length;
  }
  return { slots, ids: padded, mask, types, positions, starts };
}
