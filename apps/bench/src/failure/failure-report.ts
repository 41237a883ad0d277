import type { Setting } from '../machine.ts';
import { markdownTable } from '../markdown-table.ts';
import { median } from '../percentile.ts';
import type { FailureRow } from './failure-row.ts';
import { isClean, type FailureRun, type RunSize } from './run-row.ts';
import { COUNTS, type Counts } from './tally.ts';

export interface RowSummary {
  readonly name: string;
  readonly event: string;
  readonly promise: string;
  readonly runs: number;
  readonly texts: number;
  /** Of all runs together. */
  readonly counts: Counts;
  readonly medianRecoveryMs: number | null;
  readonly maxRecoveryMs: number | null;
  /** What is promised. */
  readonly recoveryLimitMs: number | null;
  readonly isKept: boolean;
}

export interface FailureReport extends Setting {
  readonly size: RunSize;
  readonly seed: number;
  readonly rows: readonly RowSummary[];
  readonly runs: readonly FailureRun[];
}

export function summarizeRow(row: FailureRow, runs: readonly FailureRun[]): RowSummary {
  const counts = Object.fromEntries(
    COUNTS.map((count) => [count, runs.reduce((sum, run) => sum + run.counts[count], 0)]),
  ) as Counts;
  const recoveries = runs.flatMap(({ recoveryMs }) => recoveryMs ?? []);
  const isMeasured = row.maxRecoveryMs !== undefined && recoveries.length > 0;
  const maxRecoveryMs = isMeasured ? Math.max(...recoveries) : null;
  return {
    name: row.name,
    event: row.event,
    promise: row.promise,
    runs: runs.length,
    texts: runs.reduce((sum, { texts }) => sum + texts, 0),
    counts,
    medianRecoveryMs: isMeasured ? median(recoveries) : null,
    maxRecoveryMs,
    recoveryLimitMs: row.maxRecoveryMs ?? null,
    isKept: runs.every(isClean) && (maxRecoveryMs ?? 0) <= (row.maxRecoveryMs ?? Infinity),
  };
}

/** One line a row, for people. */
export function failureTable(rows: readonly RowSummary[]): string {
  const headers = ['event', 'runs', ...COUNTS, 'recovery, median s', 'max s', 'limit s', 'kept'];
  return markdownTable(
    headers,
    rows.map(({ event, runs, counts, medianRecoveryMs, maxRecoveryMs, recoveryLimitMs, isKept }) => [
      event,
      runs,
      ...COUNTS.map((count) => counts[count]),
      seconds(medianRecoveryMs),
      seconds(maxRecoveryMs),
      recoveryLimitMs === null ? '–' : String(recoveryLimitMs / 1000),
      isKept ? 'yes' : '**no**',
    ]),
  );
}

/** One line a run, as it ends. */
export function runLine(run: FailureRun, of: number): string {
  const faults = COUNTS.filter((count) => run.counts[count] > 0).map(
    (count) => `${count} ${run.counts[count]}`,
  );
  const recovery = run.recoveryMs === undefined ? '' : `, back after ${seconds(run.recoveryMs)} s`;
  const facts = run.facts.length === 0 ? '' : ` (${run.facts.join('; ')})`;
  const head = `${run.row} ${run.run + 1}/${of}, seed ${run.seed}: `;
  const line = `${head}${faults.length === 0 ? 'well' : faults.join(', ')}${recovery}, ${run.seconds.toFixed(1)} s${facts}`;
  return [line, ...run.notes.map((note) => `    ${note}`)].join('\n');
}

function seconds(ms: number | null): string {
  return ms === null ? '–' : (ms / 1000).toFixed(2);
}
