import { request } from 'node:http';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Board } from '../board.ts';
import { serveBoard, type RunningDashboard } from '../serve-board.ts';
import { FakeFarmView } from '../testing/fake-farm-view.ts';
import { FakeActions, fakeServeOptions } from '../testing/fake-serve-options.ts';

checkOpenHandles();

const KEY = 'correct-horse-battery';
const ACT = { method: 'POST', headers: { 'content-type': 'application/json' } };

let dashboard: RunningDashboard;
let actions: FakeActions;

async function open(key?: string): Promise<void> {
  actions = new FakeActions();
  const board = await Board.open({ openView: async () => new FakeFarmView() });
  dashboard = await serveBoard(board, { ...fakeServeOptions(actions), key });
}
afterEach(() => dashboard.close());

const get = (path: string, init: RequestInit = {}) =>
  fetch(`${dashboard.url}${path}`, { redirect: 'manual', ...init, signal: AbortSignal.timeout(10_000) });

/** With headers that `fetch` keeps to itself. */
function raw(path: string, headers: Record<string, string>, method = 'POST', body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${dashboard.url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

async function signIn(key: string, headers: Record<string, string> = {}): Promise<Response> {
  return await get('/sign-in', { method: 'POST', headers, body: new URLSearchParams({ key }) });
}

describe('a dashboard without a key', () => {
  beforeEach(() => open());

  it('shows everybody everything', async () => {
    for (const path of ['/', '/api/status', '/api/board', '/queues/', '/metrics']) {
      expect((await get(path)).status, path).toBe(200);
    }
    expect(await (await get('/api/session')).json()).toEqual({
      hasKey: false,
      canAct: false,
      queuesPath: './queues/',
    });
  });

  it('lets nobody act, and says how to allow it', async () => {
    for (const action of ['cancel', 'retry']) {
      const response = await get(`/api/requests/0-a-1/${action}`, ACT);
      expect(response.status).toBe(403);
      expect(JSON.stringify(await response.json())).toContain('EMBEDFARM_DASHBOARD_KEY');
    }
    expect(actions.done).toEqual([]);
    expect((await signIn('')).headers.get('location')).toBe('sign-in.html#wrong');
  });
});

describe('a dashboard with a key', () => {
  beforeEach(() => open(KEY));

  it.each([
    '/',
    '/index.html',
    '/board.js',
    '/api/status',
    '/api/board',
    '/api/events',
    '/api/session',
    '/queues/',
    '/queues/api/queues',
    '/queues/static/js/main.js',
    '/nothing',
    '/API/status',
    '//api/status',
    '/sign-in.html/../api/status',
    '/%73ign-in.html',
    '/metrics/',
  ])('is shut at %s to who has not got it', async (path) => {
    const response = await get(path);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.json()).toMatchObject({ error: { code: 'unauthenticated' } });
  });

  it('is shut to actions too', async () => {
    expect((await get('/api/requests/0-a-1/cancel', ACT)).status).toBe(401);
    expect(actions.done).toEqual([]);
  });

  it.each(['/healthz', '/readyz', '/metrics', '/sign-in.html', '/sign-in.css', '/board.css', '/icon.svg'])(
    'is open at %s',
    async (path) => {
      expect((await get(path)).status).toBe(200);
    },
  );

  it('shows a person where to sign in, wherever the page is', async () => {
    const accept = { headers: { accept: 'text/html,*/*' } };
    for (const [path, place] of [
      ['/', 'sign-in.html'],
      ['/queues/queue/org%2Ftiny-bulk', '../../sign-in.html'],
    ] as const) {
      const response = await get(path, accept);
      expect([response.status, response.headers.get('location')]).toEqual([303, place]);
    }
    const page = await (await get('/sign-in.html')).text();
    expect(page).toContain('<form method="post" action="sign-in">');
    expect(page).not.toMatch(/<script|https?:| style=/u);
  });

  it('takes the key by its form, and gives a cookie that is not the key', async () => {
    const response = await signIn(KEY);
    expect([response.status, response.headers.get('location')]).toEqual([303, './']);
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^embedfarm_session=[\w.-]+; Max-Age=43200; Path=\/; .*HttpOnly; SameSite=Strict$/u,
    );
    expect(cookie).not.toContain(KEY);
    expect(cookie).not.toContain('Secure');
    const session = { headers: { cookie: `other=1; ${cookie.split(';')[0]}` } };
    expect(await (await get('/api/session', session)).json()).toMatchObject({ hasKey: true, canAct: true });
    expect((await get('/', session)).status).toBe(200);
    const done = await get('/api/requests/0-a-1/cancel', {
      method: 'POST',
      headers: { ...session.headers, ...ACT.headers },
    });
    expect(await done.json()).toMatchObject({ requestId: '0-a-1', state: 'cancelled' });
    expect(actions.done).toEqual(['cancel 0-a-1']);
  });

  it('keeps the cookie to https where the page came by it', async () => {
    const response = await signIn(KEY, { 'x-forwarded-proto': 'https' });
    expect(response.headers.get('set-cookie')).toContain('Secure');
  });

  it('takes the key as a bearer', async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    expect((await get('/api/status', { headers })).status).toBe(200);
    const wrong = await get('/', { headers: { authorization: 'Bearer wrong', accept: 'text/html' } });
    expect(wrong.status).toBe(401);
  });

  it('slows down who guesses', async () => {
    for (let tried = 0; tried < 5; tried += 1) {
      expect((await signIn('wrong')).headers.get('location')).toBe('sign-in.html#wrong');
    }
    expect((await signIn(KEY)).headers.get('location')).toBe('sign-in.html#wait');
    const response = await get('/api/status', { headers: { authorization: `Bearer ${KEY}` } });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
  });

  it.each([
    [{}, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://other.example' }, 403],
    [{ origin: 'http://other.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{ 'content-type': 'application/jsonp' }, 415],
  ])('acts for its own page alone: %j is %d', async (headers, status) => {
    const credentials = { ...ACT.headers, authorization: `Bearer ${KEY}` };
    expect(await raw('/api/requests/0-a-1/retry', { ...credentials, ...headers })).toBe(status);
    expect(actions.done).toHaveLength(status === 200 ? 1 : 0);
  });

  it.each([{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://other.example' }, { origin: 'null' }])(
    'signs nobody in from another page: %j',
    async (headers) => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      expect(await raw('/sign-in', { ...form, ...headers }, 'POST', `key=${KEY}`)).toBe(403);
      expect(await raw('/sign-in', form, 'POST', `key=${KEY}`)).toBe(303);
      expect(await raw('/sign-in', form, 'POST', `key=${'x'.repeat(5_000)}`)).toBe(413);
    },
  );
});
