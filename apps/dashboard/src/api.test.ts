import { describe, expect, it } from 'vitest';
import { answer, API } from './api.ts';
import { blankBoardState, type BoardState } from './board-state.ts';
import { EMPTY_STATUS, statsPoint } from './testing/fake-farm-view.ts';

const history = Array.from({ length: 400 }, (_, second) => statsPoint(second, { texts: second }));
const up: BoardState = { ...blankBoardState(0), redis: 'up', status: EMPTY_STATUS, history };
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

  it('shows no old numbers as new ones while Redis is down', () => {
    for (const path of ['/api/status', '/api/series']) {
      expect(get(path, down)).toMatchObject({ status: 503, body: { error: { code: 'redis_unavailable' } } });
    }
  });

  it('is well while it answers, and says whether Redis is', () => {
    expect(get('/healthz', up)).toMatchObject({ status: 200, body: { status: 'ok', redis: 'up' } });
    expect(get('/healthz', down)).toMatchObject({ status: 200, body: { status: 'ok', redis: 'down' } });
  });
});
