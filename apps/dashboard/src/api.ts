import { FARM_ERROR_CODES, FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import type { BoardState } from './board-state.ts';
import { HISTORY_SECONDS } from './history.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** From what is known to an answer; no clock, no Redis. The query is as the URL has it. */
export type Handler = (state: BoardState, query: unknown) => Answer;

/** Every JSON path of the dashboard. */
export const API: Readonly<Record<string, Handler>> = {
  '/api/status': (state) => ({ status: 200, body: statusOf(state) }),
  '/api/series': (state, query) => ({ status: 200, body: seriesOf(state, query) }),
  '/healthz': (state) => ({ status: 200, body: healthOf(state) }),
};

/** The handler's answer, or its error as one: `{ error: { code, message } }`. */
export function answer(handler: Handler, state: BoardState, query: unknown): Answer {
  try {
    return handler(state, query);
  } catch (error) {
    const { code, detail } = FarmError.from(error);
    return { status: FARM_ERROR_CODES[code].httpStatus, body: { error: { code, message: detail } } };
  }
}

const seriesQuerySchema = z.strictObject({
  /** How far back, in seconds. */
  seconds: z.coerce.number().int().min(1).max(HISTORY_SECONDS).default(300),
});

function statusOf(state: BoardState): NonNullable<BoardState['status']> {
  assertUp(state);
  if (state.status === undefined) throw new FarmError('redis_unavailable', 'Redis has not answered yet');
  return state.status;
}

function seriesOf(state: BoardState, query: unknown): unknown {
  const { seconds } = parseOptions('series query', seriesQuerySchema, query);
  assertUp(state);
  return { series: state.history.slice(-seconds), byClients: state.byClients };
}

/** The process is well while it answers; whether Redis does is a field, since restarting this one would not help. */
function healthOf({ redis, redisSinceMs }: BoardState): unknown {
  return { status: 'ok', redis, redisSince: new Date(redisSinceMs).toISOString() };
}

/** Numbers of before would look like numbers of now. */
function assertUp({ redis, redisSinceMs }: BoardState): void {
  if (redis === 'up') return;
  throw new FarmError(
    'redis_unavailable',
    `Redis does not answer since ${new Date(redisSinceMs).toISOString()}; trying again every second`,
  );
}
