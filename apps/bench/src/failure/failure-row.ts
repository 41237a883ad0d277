import type { FailureFarm } from './failure-farm.ts';
import type { Tally } from './tally.ts';

/** What one run is given; its seed decides every number in it that a row does not. */
export interface RunPlan {
  /** 0 and up: rows with several forms go through them. */
  readonly form: number;
  /** Distinguishes the texts of a run. */
  readonly tag: string;
  /** Texts of the run's large call. */
  readonly texts: number;
  /** How long Redis is unreachable, and a worker's event loop stands still. */
  readonly outageMs: number;
  readonly stallMs: number;
  /** A number in [from, to). */
  between(from: number, to: number): number;
}

/** One event, and what the farm promises when it happens. */
export interface FailureRow {
  readonly name: string;
  /** As docs/failure.md says them. */
  readonly event: string;
  readonly promise: string;
  /** Longest until the first result after it that is promised; undefined where nothing has to recover. */
  readonly maxRecoveryMs?: number;
  /** Runs of the long form. */
  readonly runs: number;
  run(farm: FailureFarm, plan: RunPlan, tally: Tally): Promise<void>;
}
