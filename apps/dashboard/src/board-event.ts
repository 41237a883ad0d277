import type { BenchCurve } from '@embedfarm/contract';
import { PART_NAMES } from './board-parts.ts';
import type { BoardEvent, BoardPoint } from './board-shape.ts';
import type { BoardState } from './board-state.ts';
import { shownStatus } from './shown-status.ts';
import { thinHistory } from './thin-history.ts';

/** What is told by the second; the rest of the hour is thinned. */
export const CHART_SECONDS = 300;
/** Seconds before the one that a viewer has last may have changed since: a worker tells of a chunk a moment late. */
const REREAD_SECONDS = 5;
const MAX_CURVES = 40;

/** All the page needs, for a viewer that comes or comes back. */
export function snapshotEvent(state: BoardState): BoardEvent {
  const points = state.history.slice(-CHART_SECONDS);
  const older = thinHistory(state.history.slice(0, -CHART_SECONDS));
  return { ...toEvent(state, points, () => true, 0), older };
}

/** What the last update changed, for those who watch already. */
export function updateEvent(state: BoardState): BoardEvent {
  const points = state.fresh.slice(-CHART_SECONDS);
  return toEvent(state, points, ({ changedAt }) => changedAt === state.update, state.fresh[0]?.second ?? 0);
}

/** What has changed since a second; all of it where that is too long ago, or was never. */
export function eventSince(state: BoardState, second: number): BoardEvent {
  const first = state.history.at(-CHART_SECONDS) ?? state.history[0];
  const last = state.history.at(-1);
  if (!first || !last || second < first.second || second > last.second) return snapshotEvent(state);
  const points = state.history.filter((point) => point.second > second - REREAD_SECONDS);
  return toEvent(state, points, ({ changedSecond }) => changedSecond >= second, second);
}

/** The last second that is known; 0 where none is. */
export function newestSecond({ history }: BoardState): number {
  return history.at(-1)?.second ?? 0;
}

/** A snapshot as a server-sent event, made once for all who come before the next update. */
export function snapshotText(state: BoardState): string {
  let text = SNAPSHOT_TEXTS.get(state);
  if (text === undefined) SNAPSHOT_TEXTS.set(state, (text = eventText(snapshotEvent(state))));
  return text;
}

const SNAPSHOT_TEXTS = new WeakMap<BoardState, string>();

/** As a server-sent event. JSON has no raw line break, so one data line holds it. */
export function eventText(event: BoardEvent): string {
  return `event: board\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Those that the page draws, the newest first. */
function drawnCurves({ parts }: BoardState): readonly BenchCurve[] {
  return (parts.curves?.value ?? [])
    .filter(({ curve }) => curve === 'by-clients' || curve === 'by-workers')
    .toSorted((left, right) => right.measuredAt.localeCompare(left.measuredAt))
    .slice(0, MAX_CURVES);
}

type Told = (part: { readonly changedAt: number; readonly changedSecond: number }) => boolean;

function toEvent(
  state: BoardState,
  points: readonly BoardPoint[],
  isTold: Told,
  fromSecond: number,
): BoardEvent {
  const { redis, redisSinceMs, updatedAtMs, waiting, parts } = state;
  const told = PART_NAMES.flatMap((name) => {
    const part = parts[name];
    return part && isTold(part) ? [[name, name === 'curves' ? drawnCurves(state) : part.value]] : [];
  });
  const event: BoardEvent = {
    redis,
    redisSinceMs,
    updatedAtMs,
    status: shownStatus(state),
    waiting: waiting ?? null,
    points,
    ...Object.fromEntries(told),
  };
  if (!event.minutes) return event;
  // The minute before is told to its end a moment late.
  const first = Math.floor(fromSecond / 60) - 1;
  return { ...event, minutes: event.minutes.filter(({ minute }) => minute >= first) };
}
