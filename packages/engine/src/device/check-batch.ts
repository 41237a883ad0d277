import { FarmError } from '@embedfarm/contract/farm-error';
import type { SequenceBatch } from '../batch/sequence-batch.ts';

export interface BatchBounds {
  readonly vocabularySize: number;
  readonly maxSequenceLength: number;
}

/**
 * The runtime does not look: a negative id wraps round to the end of the table, and a sequence without
 * tokens gives a vector.
 *
 * @throws FarmError `invalid_argument` for an empty batch, a length, an id or a second segment out of bounds.
 */
export function checkBatch({ ids, lengths, seconds }: SequenceBatch, bounds: BatchBounds): void {
  const { vocabularySize, maxSequenceLength } = bounds;
  let tokens = 0;
  for (const length of lengths) {
    if (length < 1 || length > maxSequenceLength)
      refuse(`a sequence of ${length} tokens, limit is 1 to ${maxSequenceLength}`);
    tokens += length;
  }
  if (tokens === 0) refuse('a batch without sequences');
  if (tokens !== ids.length) refuse(`a batch of ${ids.length} ids, its lengths add up to ${tokens}`);
  if (seconds && seconds.length !== lengths.length)
    refuse(`a batch of ${lengths.length} rows, second segments of ${seconds.length}`);
  for (const [row, second] of seconds?.entries() ?? []) {
    const length = lengths[row] ?? 0;
    if (second < 0 || second > length) refuse(`a second segment at ${second} of ${length} tokens`);
  }
  for (const id of ids) {
    if (id < 0 || id >= vocabularySize)
      refuse(`token id ${id}, the vocabulary ends at ${vocabularySize - 1}`);
  }
}

function refuse(what: string): never {
  throw new FarmError('invalid_argument', what);
}
