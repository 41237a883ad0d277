/** What one text cost. */
export interface Receipt {
  /** Sequence length the device saw, special tokens included; 0 where the text failed before it had one. */
  readonly tokens: number;
  /** Whether the text was longer than the model takes and lost its end or start. */
  readonly truncated: boolean;
}

/** Where the time of a call went, in ms. Chunks run side by side, so each part is the longest of its kind. */
export interface EncodeTiming {
  /** From enqueue to the worker's first look. */
  readonly queueMs: number;
  readonly tokenizeMs: number;
  /** In the waiting line, until the first batch with a text of the chunk began. */
  readonly batchWaitMs: number;
  /** From the first batch's begin to the last batch's end. */
  readonly deviceMs: number;
}
