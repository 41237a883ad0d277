import type { FarmErrorCode, Lane } from '@embedfarm/contract';
import type { RequestState } from '../request/request-record.ts';

/** What waits in one lane, of all models. */
export interface LaneWaiting {
  readonly jobs: number;
  /** Counted where few jobs wait, else estimated from some of them, spread over the queue. */
  readonly texts: number;
  /** Texts times the mean length of the last minutes; of a farm that has encoded nothing yet, 0. */
  readonly tokens: number;
  /** Age of the oldest job found; undefined where none waits. */
  readonly oldestMs: number | undefined;
  /** At the rate of the last seconds; undefined where nothing runs, 0 where nothing waits. */
  readonly clearSeconds: number | undefined;
}
export type FarmWaiting = Readonly<Record<Lane, LaneWaiting>>;

/** One SDK instance that is alive. */
export interface ClientRow {
  readonly clientId: string;
  /** What `connect({ name })` said, else empty. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** Over the last whole minute or the current one. */
  readonly textsPerSecond: number;
  /** Share of all clients' texts, 0 to 1. */
  readonly share: number;
  /** Texts of calls and streams that wait for their vectors. */
  readonly inFlightTexts: number;
  readonly lastSeenMs: number;
}

/** A submitted request. */
export interface RequestRow {
  readonly requestId: string;
  readonly label: string | undefined;
  readonly model: string;
  readonly lane: Lane;
  readonly clientId: string;
  readonly state: RequestState;
  readonly texts: number;
  readonly textsDone: number;
  readonly textsFailed: number;
  readonly createdAtMs: number;
  readonly endedAtMs: number | undefined;
  /** How long it takes still, at the rate of now. */
  readonly etaMs: number | undefined;
  readonly canCancel: boolean;
  /** Whether chunks of it have failed whose texts are still there. */
  readonly canRetry: boolean;
}

/** Texts that failed for one reason, in the last hour. */
export interface FailureGroup {
  readonly code: FarmErrorCode;
  readonly model: string;
  readonly texts: number;
  readonly lastAtMs: number;
  /** The last of them. The text is cut short. */
  readonly sample: { readonly message: string; readonly text: string; readonly requestId: string };
}
