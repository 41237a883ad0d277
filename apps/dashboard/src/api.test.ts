import { describe, expect, it } from 'vitest';
import { answer, API } from './api.ts';
import type { BoardEvent } from './board-shape.ts';
import { blankBoardState, type BoardState } from './board-state.ts';
import { mergeParts } from './board-parts.ts';
import {
  boardPoint,
  clientRow,
  EMPTY_STATUS,
  EMPTY_WAITING,
  minuteStats,
  requestRow,
} from './testing/fake-farm-view.ts';

const history = Array.from({ length: 400 }, (_, second) => boardPoint(second, { texts: second }));
const clients = [clientRow('<script>alert(1)</script>', { name: '<b>' })];
const requests = [requestRow('0-a-1', { label: '"><img src=x onerror=alert(1)>' })];
const minutes = Array.from({ length: 7 }, (_, minute) => minuteStats(minute));
const up: BoardState = {
  ...blankBoardState(0),
  redis: 'up',
  status: EMPTY_STATUS,
  waiting: EMPTY_WAITING,
  history,
  parts: mergeParts(
    {},
    { clients, requests, minutes, failures: [], byClients: [] },
    { update: 1, second: 399 },
  ),
};
const down: BoardState = { ...up, redis: 'down' };

function get(path: string, state: BoardState, query: unknown = {}) {
  const handler = API[path];
  if (handler === undefined) throw new Error(`no handler for ${path}`);
  return answer(handler, state, query);
}

describe('the dashboard API', () => {
  it('gives the status as the farm has it', () => {
    expect(get('/api/status', up)).toEqual({ status: 200, body: EMPTY_STATUS });
  });

  it('gives the last five minutes, or as many seconds as asked for, oldest first', () => {
    expect(get('/api/series', up).body).toEqual({ series: history.slice(100), byClients: [] });
    expect(get('/api/series', up, { seconds: '2' }).body).toEqual({
      series: [history[398], history[399]],
      byClients: [],
    });
  });

  it.each([
    { seconds: '0' },
    { seconds: '3601' },
    { seconds: 'x' },
    { seconds: ['1', '2'] },
    { minutes: '5' },
  ])('refuses the query %j and names the field', (query) => {
    const { status, body } = get('/api/series', up, query);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'invalid_argument' } });
    expect(JSON.stringify(body)).toContain(Object.keys(query)[0]);
  });

  it('gives each part as it was read', () => {
    expect(get('/api/waiting', up)).toEqual({ status: 200, body: { waiting: EMPTY_WAITING } });
    expect(get('/api/clients', up)).toEqual({ status: 200, body: { clients } });
    expect(get('/api/requests', up)).toEqual({ status: 200, body: { requests } });
    expect(get('/api/failures', up)).toEqual({ status: 200, body: { failures: [] } });
    expect(get('/api/minutes', up, { minutes: '2' }).body).toEqual({ minutes: minutes.slice(-2) });
    expect(get('/api/minutes', up, { minutes: '61' }).status).toBe(400);
  });

  it('says of a part that it cannot be read, and gives the others', () => {
    expect(get('/api/curves', up)).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
    expect(get('/api/waiting', { ...up, waiting: undefined })).toMatchObject({ status: 500 });
  });

  it('tells the whole board at once, or what has changed since a second', () => {
    const whole = get('/api/board', up).body as BoardEvent;
    expect(whole).toMatchObject({ redis: 'up', clients, requests, minutes });
    expect(whole.points).toHaveLength(300);
    const since = get('/api/board', up, { since: '398' }).body as BoardEvent;
    expect(since.points.map(({ second }) => second)).toEqual([394, 395, 396, 397, 398, 399]);
    expect(since.minutes?.map(({ minute }) => minute)).toEqual([5, 6]);
    expect(get('/api/board', up, { since: '-1' }).status).toBe(400);
    // It says so itself.
    expect(get('/api/board', down)).toMatchObject({ status: 200, body: { redis: 'down' } });
  });

  it('shows no old numbers as new ones while Redis is down', () => {
    for (const path of Object.keys(API).filter((known) => !['/api/board', '/healthz'].includes(known))) {
      expect(get(path, down)).toMatchObject({ status: 503, body: { error: { code: 'redis_unavailable' } } });
    }
  });

  it('is well while it answers, and says whether Redis is', () => {
    expect(get('/healthz', up)).toMatchObject({ status: 200, body: { status: 'ok', redis: 'up' } });
    expect(get('/healthz', down)).toMatchObject({ status: 200, body: { status: 'ok', redis: 'down' } });
  });
});
