import type { StatsPoint } from '@embedfarm/farm/inspect';
import type { BoardState } from './board-state.ts';

/** What the charts over time show. */
export const CHART_SECONDS = 300;

/** All the page needs, for a viewer that comes or comes back. */
export function snapshotEvent(state: BoardState): string {
  return boardEvent(state, state.history.slice(-CHART_SECONDS));
}

/** What the last second changed, for those who watch already. */
export function updateEvent(state: BoardState): string {
  return boardEvent(state, state.fresh.slice(-CHART_SECONDS));
}

/** A server-sent event. JSON has no raw line break, so one data line holds it. */
function boardEvent(state: BoardState, points: readonly StatsPoint[]): string {
  const { redis, redisSinceMs, updatedAtMs, status, byClients } = state;
  const shown = {
    redis,
    redisSinceMs,
    updatedAtMs,
    status: status ?? null,
    byClients,
    points: points.map(({ second, texts, tokens, backlog }) => ({ second, texts, tokens, backlog })),
  };
  return `event: board\ndata: ${JSON.stringify(shown)}\n\n`;
}
