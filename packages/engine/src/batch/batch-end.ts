/** A batch that has its rows, as its device ran it. */
export interface BatchEnd {
  /** What it kept busy: one device, or every core where all of them ran it together. */
  readonly devices: readonly string[];
  readonly texts: number;
  /** Real tokens. */
  readonly tokens: number;
  /** Attention slots, `rows × longest row`, real ones included. */
  readonly slotTokens: number;
  /** What the device may be given at most. */
  readonly tokenBudget: number;
  readonly durationMs: number;
}
