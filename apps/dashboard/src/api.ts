import { FARM_ERROR_CODES, FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { eventSince, snapshotEvent } from './board-event.ts';
import { CHART_MINUTES, type PartName } from './board-parts.ts';
import type { BoardState } from './board-state.ts';
import { HISTORY_SECONDS } from './history.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** From what is known to an answer; no clock, no Redis. The query is as the URL has it. */
export type Handler = (state: BoardState, query: unknown) => Answer;

/** Every JSON path of the dashboard that only looks. */
export const API: Readonly<Record<string, Handler>> = {
  '/api/board': boardOf,
  '/api/status': (state) => ({ status: 200, body: statusOf(state) }),
  '/api/waiting': waitingOf,
  '/api/series': (state, query) => ({ status: 200, body: seriesOf(state, query) }),
  '/api/minutes': minutesOf,
  '/api/clients': (state) => partOf(state, 'clients'),
  '/api/requests': (state) => partOf(state, 'requests'),
  '/api/failures': (state) => partOf(state, 'failures'),
  '/api/curves': (state) => partOf(state, 'curves'),
  '/healthz': (state) => ({ status: 200, body: healthOf(state) }),
};

/** The handler's answer, or its error as one: `{ error: { code, message } }`. */
export function answer(handler: Handler, state: BoardState, query: unknown): Answer {
  try {
    return handler(state, query);
  } catch (error) {
    return faultAnswer(error);
  }
}

/** `{ error: { code, message } }` with the status of its code. A message of what is no FarmError stays here. */
export function faultAnswer(thrown: unknown): Answer {
  const { code, detail, retryAfterMs } = FarmError.from(thrown);
  const message = thrown instanceof FarmError ? detail : 'the dashboard failed; its log says more';
  const told = { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return { status: FARM_ERROR_CODES[code].httpStatus, body: { error: told } };
}

const boardQuerySchema = z.strictObject({
  /** The last second that is known; without it everything is told. */
  since: z.coerce.number().int().min(0).optional(),
});

const seriesQuerySchema = z.strictObject({
  /** How far back, in seconds. */
  seconds: z.coerce.number().int().min(1).max(HISTORY_SECONDS).default(300),
});

const minutesQuerySchema = z.strictObject({
  /** How far back, in minutes. */
  minutes: z.coerce.number().int().min(1).max(CHART_MINUTES).default(CHART_MINUTES),
});

/** What the event stream tells, for who cannot have it. It says itself that Redis is down. */
function boardOf(state: BoardState, query: unknown): Answer {
  const { since } = parseOptions('board query', boardQuerySchema, query);
  return { status: 200, body: since === undefined ? snapshotEvent(state) : eventSince(state, since) };
}

function statusOf(state: BoardState): NonNullable<BoardState['status']> {
  assertUp(state);
  if (state.status === undefined) throw new FarmError('redis_unavailable', 'Redis has not answered yet');
  return state.status;
}

function waitingOf(state: BoardState): Answer {
  assertUp(state);
  if (state.waiting === undefined) throw notRead('what waits');
  return { status: 200, body: { waiting: state.waiting } };
}

function seriesOf(state: BoardState, query: unknown): unknown {
  const { seconds } = parseOptions('series query', seriesQuerySchema, query);
  assertUp(state);
  return { series: state.history.slice(-seconds), byClients: state.parts.byClients?.value ?? [] };
}

function minutesOf(state: BoardState, query: unknown): Answer {
  const { minutes } = parseOptions('minutes query', minutesQuerySchema, query);
  assertUp(state);
  const part = state.parts.minutes;
  if (!part) throw notRead('minutes');
  return { status: 200, body: { minutes: part.value.slice(-minutes) } };
}

function partOf(state: BoardState, name: PartName): Answer {
  assertUp(state);
  const part = state.parts[name];
  if (!part) throw notRead(name);
  return { status: 200, body: { [name]: part.value } };
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

function notRead(what: string): FarmError {
  return new FarmError('internal', `${what} cannot be read; the log of the dashboard says why`);
}
