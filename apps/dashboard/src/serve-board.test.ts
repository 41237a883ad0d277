import { createServer } from 'node:http';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Board } from './board.ts';
import { serveBoard, type RunningDashboard, type ServeOptions } from './serve-board.ts';
import { boardPoint, FakeFarmView, statsPoint } from './testing/fake-farm-view.ts';
import { fakeServeOptions } from './testing/fake-serve-options.ts';

checkOpenHandles();

let view: FakeFarmView;
let dashboard: RunningDashboard;

beforeEach(async () => {
  view = new FakeFarmView();
  view.points = [statsPoint(1, { texts: 3 })];
  dashboard = await serve();
});

afterEach(() => dashboard.close());

async function serve(options: Partial<ServeOptions> = {}): Promise<RunningDashboard> {
  const board = await Board.open({ openView: async () => view });
  return await serveBoard(board, { ...fakeServeOptions(), ...options });
}

const get = (path: string, init: RequestInit = {}) =>
  fetch(`${dashboard.url}${path}`, { ...init, signal: AbortSignal.timeout(10_000) });

describe('the dashboard on a port', () => {
  it('serves the page and every file that it names', async () => {
    const page = await (await get('/')).text();
    expect(page).toContain('<title>Embedfarm</title>');
    for (const [, file] of page.matchAll(/(?:href|src)="([^"]+\.\w+)"/gu)) {
      const response = await get(`/${file}`);
      expect(response).toMatchObject({ status: 200, url: `${dashboard.url}/${file}` });
      // An answer that nobody reads keeps its socket.
      expect(await response.text()).not.toBe('');
    }
  });

  it.each(['/', '/api/status', '/healthz', '/metrics', '/readyz', '/board.js', '/nothing'])(
    'lets no other origin in at %s',
    async (path) => {
      const response = await get(path);
      const { headers } = response;
      await response.text();
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-powered-by')).toBeNull();
    },
  );

  it('answers JSON, and JSON for what is not there or is malformed', async () => {
    expect(await (await get('/api/series?seconds=1')).json()).toEqual({
      series: [boardPoint(1, { texts: 3 })],
      byClients: [],
    });
    expect((await get('/api/nothing')).status).toBe(404);
    expect((await get('/%E0%A4%A')).status).toBe(404);
    expect((await get('/..%2fpackage.json')).status).toBe(404);
    const beyond = await get('/board.js', { headers: { range: 'bytes=99999999-' } });
    expect(beyond.status).toBe(416);
    expect(await beyond.json()).toMatchObject({ error: { code: 'invalid_argument' } });
  });

  it('shows a viewer the state at once and again after the next update, without a read of its own', async () => {
    const reads = view.reads;
    const streams = await Promise.all([get('/api/events'), get('/api/events')]);
    const readers = streams.map((stream) => textReader(stream));
    for (const reader of readers) expect(await reader.next()).toContain('event: board');
    expect(view.reads - reads).toBeLessThanOrEqual(1);
    for (const reader of readers) expect(await reader.next()).toContain('"texts":3');
    await Promise.all(readers.map((reader) => reader.cancel()));
  });

  it('ends the stream of a page that is open when it closes', async () => {
    const reader = textReader(await get('/api/events'));
    await reader.next();
    await Promise.all([dashboard.close(), dashboard.close()]);
    await reader.untilEnd();
    expect(view.closes).toBe(1);
  });

  it('answers HEAD of the stream and ends', async () => {
    expect((await get('/api/events', { method: 'HEAD' })).status).toBe(200);
  });
});

it('says which port is taken', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  const { port } = other.address() as { port: number };
  const board = await Board.open({ openView: async () => view });
  await expect(serveBoard(board, { ...fakeServeOptions(), port })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: the port is taken`,
  );
  await board.close();
  other.close();
});

function textReader(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error('the answer has no body');
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel(),
    /** A connection that is cut ends the stream as well. */
    untilEnd: async () => {
      while (!(await reader.read().catch(() => ({ done: true }))).done);
    },
  };
}
