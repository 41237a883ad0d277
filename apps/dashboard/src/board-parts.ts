import type { BenchCurve } from '@embedfarm/contract';
import type { ClientRow, FailureGroup, MinuteStats, RequestRow } from '@embedfarm/farm/figures';
import type { ClientsThroughput } from './throughput-by-clients.ts';

/** What changes slowly, is read rarely, and is told only where it has changed. */
export interface PartValues {
  readonly minutes: readonly MinuteStats[];
  readonly byClients: readonly ClientsThroughput[];
  readonly clients: readonly ClientRow[];
  readonly requests: readonly RequestRow[];
  readonly failures: readonly FailureGroup[];
  readonly curves: readonly BenchCurve[];
}
export type PartName = keyof PartValues;

/** How often each part is read, in ms. */
export const PART_EVERY_MS: Readonly<Record<PartName, number>> = {
  minutes: 2_000,
  byClients: 2_000,
  requests: 2_000,
  clients: 5_000,
  failures: 5_000,
  curves: 30_000,
};
/** What Redis keeps by minute that the page draws. */
export const CHART_MINUTES = 60;
export const PART_NAMES = Object.keys(PART_EVERY_MS) as readonly PartName[];

export interface BoardPart<Value> {
  readonly value: Value;
  /** What was read of it as JSON: what it is compared by. */
  readonly text: string;
  /** Number of the update that changed it. */
  readonly changedAt: number;
  /** The newest second that was known then. */
  readonly changedSecond: number;
}

/** Parts that were read once; of a board that is new, none. */
export type BoardParts = { readonly [Name in PartName]?: BoardPart<PartValues[Name]> };

/**
 * The parts with those put over them that differ from what was known. Minutes are read a few at a time, and compared
 * as they were read: an hour of them is 200 KB.
 */
export function mergeParts(
  known: BoardParts,
  read: Partial<PartValues>,
  { update, second }: { update: number; second: number },
): BoardParts {
  const changed = Object.entries(read).flatMap(([name, value]) => {
    const text = JSON.stringify(value);
    if (known[name as PartName]?.text === text) return [];
    const whole = name === 'minutes' ? mergeMinutes(known.minutes?.value ?? [], read.minutes ?? []) : value;
    return [[name, { value: whole, text, changedAt: update, changedSecond: second }] as const];
  });
  return changed.length === 0 ? known : { ...known, ...Object.fromEntries(changed) };
}

/** The known minutes with those read put over them, oldest first, up to an hour. */
function mergeMinutes(known: readonly MinuteStats[], read: readonly MinuteStats[]): readonly MinuteStats[] {
  const [first] = read;
  if (!first) return known;
  const oldest = (read.at(-1)?.minute ?? 0) - CHART_MINUTES;
  return [...known.filter(({ minute }) => minute < first.minute && minute > oldest), ...read];
}
