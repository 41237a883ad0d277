import type { FarmWaiting } from '@embedfarm/farm/figures';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';
import type { PartName, PartValues } from './board-parts.ts';
import type { FarmView } from './farm-view.ts';

/** Most rows that a viewer is shown. */
const MAX_CLIENTS = 200;
const MAX_REQUESTS = 100;

export interface BoardReading {
  readonly status: FarmStatus;
  readonly series: readonly StatsPoint[];
  readonly waiting: FarmWaiting | undefined;
  /** `minutes` are those that were asked for. */
  readonly parts: Partial<PartValues>;
}

/**
 * Reads the farm once. Without its status or seconds there is nothing to show; of the rest each that fails is left
 * out, as something else may have been put under its keys by hand.
 *
 * @param onOutcome told of each of the rest, with its fault or undefined.
 */
export async function readBoard(
  view: FarmView,
  { seconds, minutes, due }: { seconds: number; minutes: number; due: readonly PartName[] },
  onOutcome: (what: string, fault: unknown) => void,
): Promise<BoardReading> {
  const attempt = async <Value>(what: string, read: Promise<Value>): Promise<Value | undefined> => {
    try {
      const value = await read;
      onOutcome(what, undefined);
      return value;
    } catch (fault) {
      onOutcome(what, fault);
      return undefined;
    }
  };
  const slow: { readonly [Name in PartName]?: () => Promise<PartValues[Name]> } = {
    minutes: () => view.minutes(minutes),
    clients: () => view.clients(MAX_CLIENTS),
    requests: () => view.requests(MAX_REQUESTS),
    failures: () => view.failures(),
    curves: () => view.curves(),
  };
  await attempt('the sample of this second', view.sample());
  const [status, series, waiting, ...parts] = await Promise.all([
    view.status(),
    view.series(seconds),
    attempt('what waits', view.waiting()),
    ...due.map(async (name) => {
      const read = slow[name];
      return read ? ([name, await attempt<unknown>(name, read())] as const) : undefined;
    }),
  ]);
  const read = parts.filter((part) => part?.[1] !== undefined);
  return { status, series, waiting, parts: Object.fromEntries(read as [PartName, unknown][]) };
}
