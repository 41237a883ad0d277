import type { SequenceBatch } from '../batch/sequence-batch.ts';

/** One encoder on one piece of hardware. It runs one batch at a time, in the order given. */
export interface Device {
  /** `cpu/0`, `cuda:1`, …: see providerOf. */
  readonly name: string;
  /** Size of a row. */
  readonly dimensions: number;
  /**
   * @returns shape `[rows, dimensions]`, float32: one pooled vector per sequence, without pooling one per
   *   token, in the order given, not normalized. The bits of a row do not depend on the other rows.
   * @throws FarmError `invalid_argument` for ids or lengths that the model does not take, `out_of_memory`,
   *   `internal` where the run failed, `device_lost` where the device is gone or closed.
   */
  encode(batch: SequenceBatch): Promise<Float32Array>;
  /** Batches in flight finish first. Safe to call twice. */
  close(): Promise<void>;
}
