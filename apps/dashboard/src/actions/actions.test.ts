import { FarmError } from '@embedfarm/contract';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Board } from '../board.ts';
import { serveBoard, type RunningDashboard } from '../serve-board.ts';
import { FakeFarmView } from '../testing/fake-farm-view.ts';
import { FakeActions, fakeServeOptions } from '../testing/fake-serve-options.ts';

checkOpenHandles();

const KEY = 'correct-horse-battery';

let dashboard: RunningDashboard;
let view: FakeFarmView;
let actions: FakeActions;

beforeEach(async () => {
  view = new FakeFarmView();
  actions = new FakeActions();
  const board = await Board.open({ openView: async () => view });
  dashboard = await serveBoard(board, { ...fakeServeOptions(actions), key: KEY });
});
afterEach(() => dashboard.close());

async function act(path: string, { method = 'POST', body }: { method?: string; body?: string } = {}) {
  const response = await fetch(`${dashboard.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(10_000),
  });
  expect(response.headers.get('content-type')).toMatch(/^application\/json/u);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  return { status: response.status, allow: response.headers.get('allow'), body: await response.json() };
}

it('answers what was done', async () => {
  expect(await act('/api/requests/0-a-1/cancel', { body: '{}' })).toMatchObject({
    status: 200,
    body: { requestId: '0-a-1', state: 'cancelled', texts: 2, textsDone: 1 },
  });
  expect(await act('/api/requests/0-a-1/retry')).toMatchObject({
    status: 200,
    body: { requestId: '0-a-1-again', ranges: [{ from: 0, to: 2 }] },
  });
});

it('does once what is asked for twice at a time', async () => {
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  actions.gate = () => gate;
  const both = [act('/api/requests/0-a-1/retry'), act('/api/requests/0-a-1/retry')];
  const other = act('/api/requests/0-b-1/retry');
  await expect.poll(() => actions.done.length).toBe(2);
  go();
  expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
  await other;
  expect(actions.done.toSorted()).toEqual(['retry 0-a-1', 'retry 0-b-1']);
});

it.each([
  '%3Cscript%3E',
  'a%2Fb',
  '..%2f..',
  'x',
  '0_a_1',
  'a'.repeat(81),
  '%00',
  '0-a-1%0a',
  '%F0%9F%99%82',
])('refuses the id %s', async (id) => {
  const { status, body } = await act(`/api/requests/${id}/cancel`);
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: { code: 'invalid_argument' } });
  expect(actions.done).toEqual([]);
});

it.each([
  ['{"a":1}', 400],
  ['{', 400],
  ['[]', 400],
  [`{"a":"${'x'.repeat(2_000)}"}`, 413],
  ['x'.repeat(5_000_000), 413],
])('refuses the body %.20s…', async (body, status) => {
  expect((await act('/api/requests/0-a-1/cancel', { body })).status).toBe(status);
  expect(actions.done).toEqual([]);
});

it('says by which method a path is there', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    expect(await act('/api/requests/0-a-1/cancel', { method })).toMatchObject({ status: 405, allow: 'POST' });
  }
  for (const path of ['/api/status', '/api/board', '/api/events', '/api/session', '/metrics']) {
    expect(await act(path)).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  }
  expect((await act('/api/requests/0-a-1/delete')).status).toBe(404);
  expect((await act('/api/requests')).status).toBe(405);
});

it('says what was wrong, and keeps to itself what nobody else is to know', async () => {
  actions.gate = async () => {
    throw new FarmError('overloaded', 'the farm is full', { retryAfterMs: 5 });
  };
  expect(await act('/api/requests/0-a-1/retry')).toMatchObject({
    status: 429,
    body: { error: { code: 'overloaded', message: 'the farm is full', retryAfterMs: 5 } },
  });
  actions.gate = async () => {
    throw new Error('ECONNREFUSED /run/secret.sock');
  };
  const { status, body } = await act('/api/requests/0-a-1/retry');
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toContain('secret');
});

it('does nothing while Redis is down', async () => {
  view.fault = Promise.reject(new Error('connection refused'));
  view.fault.catch(() => undefined);
  await expect.poll(async () => (await act('/api/requests/0-a-1/cancel')).status).toBe(503);
  const { length } = actions.done;
  await act('/api/requests/0-a-1/cancel');
  expect(actions.done).toHaveLength(length);
});
