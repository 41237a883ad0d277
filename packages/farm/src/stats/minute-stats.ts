import type { FarmErrorCode, Lane } from '@embedfarm/contract';

/** Counts by the upper edge of their bucket, rising, empty ones left out; the last edge may be Infinity. */
export type Histogram = readonly { readonly upTo: number; readonly count: number }[];

/** Where the time of chunks went: sums over `chunks`, in ms. */
export interface StageTimes {
  readonly queueMs: number;
  readonly tokenizeMs: number;
  readonly batchWaitMs: number;
  readonly deviceMs: number;
  /** Storing and announcing. */
  readonly storeMs: number;
}

/** One lane in one minute. Only chunks that ended as done are in `chunks`, `stages` and `latencyMs`. */
export interface LaneMinute {
  readonly texts: number;
  readonly tokens: number;
  readonly failed: number;
  readonly chunks: number;
  readonly stages: StageTimes;
  /** From the enqueue of a chunk to its stored vectors. */
  readonly latencyMs: Histogram;
  /** From stored to read by the client that waits: its sum, and over how many replies. */
  readonly replyMs: number;
  readonly replies: number;
}

/** One minute of the farm, as workers and clients have told it; each tells what it knows once a second at most. */
export interface MinuteStats {
  /** Redis time, in minutes since 1970. */
  readonly minute: number;
  readonly lanes: Readonly<Record<Lane, LaneMinute>>;
  /** Texts without a vector, by reason. */
  readonly failures: Readonly<Partial<Record<FarmErrorCode, number>>>;
  readonly batches: {
    readonly count: number;
    readonly tokens: number;
    /** Rows times the longest row: tokens and padding. */
    readonly slotTokens: number;
    /** What the devices could have been given. */
    readonly budgetTokens: number;
    /** Batches by the share of the budget that was used, in %. */
    readonly fillPercent: Histogram;
  };
  readonly lengths: {
    /** Texts by tokens after truncation. */
    readonly tokens: Histogram;
    readonly truncated: number;
  };
  readonly cache: { readonly lookups: number; readonly hits: number };
  /** Most clients alive in a second of it. */
  readonly clients: number;
}
