import type { FarmError } from '@embedfarm/contract';
import type { BatchedCall } from './batched-call.ts';
import type { WaitingSequence } from './waiting-line.ts';

/** A batch that is to run once more, or a part of one. */
export interface Retry {
  readonly sequences: readonly WaitingSequence<BatchedCall>[];
  /** How often a device was lost on it. */
  readonly losses: number;
}

const MAX_LOSSES = 3;

/**
 * What becomes of a batch that failed: which parts run again, which sequences fail with it.
 *
 * - A run that threw: its halves run again; a sequence that throws alone has failed.
 * - A lost device: the batch runs again, as it was after the first loss (the device may be to blame), each
 *   sequence alone after the second; one that loses a third device has failed. A bystander, ready on a
 *   device that was lost under another batch, runs again as if nothing had been.
 *
 * Sequences whose call is settled (cancelled) do not run again.
 */
export function divideBatch(
  batch: Retry,
  { code }: FarmError,
  isBystander: boolean,
): { again: Retry[]; failed: readonly WaitingSequence<BatchedCall>[] } {
  const sequences = batch.sequences.filter(({ call }) => !call.isSettled);
  if (sequences.length === 0) return { again: [], failed: [] };
  const losses = code === 'device_lost' && !isBystander ? batch.losses + 1 : batch.losses;
  if (losses >= MAX_LOSSES) return { again: [], failed: sequences };
  if (code === 'device_lost') {
    const isAlone = losses === MAX_LOSSES - 1;
    const parts = isAlone ? sequences.map((sequence) => [sequence]) : [sequences];
    return { again: parts.map((part) => ({ sequences: part, losses })), failed: [] };
  }
  if (sequences.length === 1) return { again: [], failed: sequences };
  const half = Math.ceil(sequences.length / 2);
  const halves = [sequences.slice(0, half), sequences.slice(half)];
  return { again: halves.map((part) => ({ sequences: part, losses })), failed: [] };
}
