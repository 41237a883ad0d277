import type { FarmError } from '@embedfarm/contract';

/** What the batcher tells the call that a sequence belongs to. */
export interface BatchedCall {
  readonly isSettled: boolean;
  batchRan(beginMs: number, endMs: number): void;
  /** `row` is a view: copy it. It holds all rows of the text, where every token has one. */
  putRow(index: number, row: Float32Array): void;
  putFailure(index: number, error: FarmError): void;
}
