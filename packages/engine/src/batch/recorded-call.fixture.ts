import type { FarmError, Lane } from '@embedfarm/contract';
import type { BatchedCall } from './batched-call.ts';
import type { Batcher } from './batcher.ts';

/** A call that keeps what it is told. */
export class RecordedCall implements BatchedCall {
  isSettled = false;
  readonly rows = new Map<number, number[]>();
  readonly failures = new Map<number, FarmError>();
  readonly settled: Promise<void>;
  #resolve: () => void = () => undefined;
  #pending: number;

  constructor(texts: number) {
    this.#pending = texts;
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  batchRan(): void {}

  putRow(index: number, row: Float32Array): void {
    this.rows.set(index, Array.from(row));
    this.#count();
  }

  putFailure(index: number, error: FarmError): void {
    this.failures.set(index, error);
    this.#count();
  }

  #count(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#resolve();
  }
}

/** Puts texts of the given lengths; every id is the text's index, or the one given. */
export function putTexts(
  batcher: Batcher,
  lengths: readonly number[],
  lane: Lane = 'interactive',
  id?: number,
): RecordedCall {
  const call = new RecordedCall(lengths.length);
  const ids = (length: number, index: number): Int32Array => new Int32Array(length).fill(id ?? index);
  batcher.put(
    lengths.map((length, index) => ({ call, index, ids: ids(length, index) })),
    lane,
  );
  return call;
}
