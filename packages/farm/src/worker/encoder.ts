import type { DeviceReport, EncodeOptions, EncodeText, Lane, VectorBlock } from '@embedfarm/contract';

/** A batch that has its rows, as its device ran it. */
export interface FinishedBatch {
  /** Real tokens. */
  readonly tokens: number;
  /** Rows times the longest row: tokens and padding. */
  readonly slotTokens: number;
  /** What the device may be given at most. */
  readonly tokenBudget: number;
}

/**
 * What a farm worker needs of an engine. `farm` never imports one: apps/worker joins the two.
 */
export interface Encoder {
  /**
   * Vectors of the texts, in their order and in the dtype asked for. A text that fails alone is in the block's failures.
   *
   * @throws FarmError `cancelled` on abort, or what the device failed with.
   */
  encode(
    texts: readonly EncodeText[],
    options: EncodeOptions,
    call: { signal: AbortSignal; lane: Lane },
  ): Promise<VectorBlock>;
  /** Work that waits or runs, in ms. */
  readonly backlogMs: number;
  readonly waitingTexts: number;
  /** Told after each batch. @returns the way to stop listening. */
  onBatchEnd(listener: () => void): () => void;
  /** Told of each batch that has its rows; an engine without batches has none. @returns the way to stop listening. */
  onBatch?(listener: (batch: FinishedBatch) => void): () => void;
  deviceReports(): DeviceReport[];
  /** Over the last seconds. */
  throughput(): { textsPerSecond: number; tokensPerSecond: number };
}
