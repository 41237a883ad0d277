import { Gauge } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeServer, listen } from './listen.ts';
import type { Readiness } from './probe.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { serveProbes, type ProbeServer } from './serve-probes.ts';

let metrics: ProcessMetrics;
let readiness: () => Promise<Readiness>;
let server: ProbeServer;

beforeEach(async () => {
  metrics = new ProcessMetrics('worker');
  readiness = async () => ({ ready: true });
  server = await serveProbes(
    { metrics: () => metrics.text(), readiness: () => readiness() },
    { port: 0, host: '127.0.0.1' },
  );
});
afterEach(() => server.close());

async function get(path: string, init: RequestInit = {}) {
  const answer = await fetch(server.url + path, { ...init, signal: AbortSignal.timeout(10_000) });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
}

describe('the probes of a process', () => {
  it('are metrics as Prometheus reads them', async () => {
    const { status, type, body } = await get('/metrics?debug=1');
    expect(status).toBe(200);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toMatch(/^farm_build_info\{role="worker",version="\d+\.\d+\.\d+"\} 1$/m);
    expect(body).toMatch(/^process_cpu_seconds_total \d/m);
    expect(body.endsWith('\n')).toBe(true);
  });

  it('keep a label in its quotes, whatever is in it', async () => {
    const name = 'a"b\\c\nfarm_redis_up 1 <script>é';
    new Gauge({ name: 'farm_odd', help: 'x', labelNames: ['model'], registers: [metrics.registry] }).set(
      { model: name },
      1,
    );
    const { body } = await get('/metrics');
    expect(body).toContain('farm_odd{model="a\\"b\\\\c\\nfarm_redis_up 1 <script>é"} 1\n');
    expect(body).not.toMatch(/^farm_redis_up/m);
  });

  it('tell that the process lives, and apart from that whether it is ready', async () => {
    expect(await get('/readyz')).toMatchObject({ status: 200, body: '{"status":"ready"}' });
    readiness = async () => ({ ready: false, reason: 'starting', message: 'the model loads' });
    const { status, body } = await get('/readyz');
    expect([status, JSON.parse(body)]).toEqual([
      503,
      { status: 'unready', reason: 'starting', message: 'the model loads' },
    ]);
    expect(await get('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  });

  it('answer a fault with 500 and go on', async () => {
    readiness = async () => {
      throw new Error('told to fail');
    };
    new Gauge({
      name: 'farm_broken',
      help: 'x',
      registers: [metrics.registry],
      collect: () => {
        throw new Error('told to fail');
      },
    });
    for (const path of ['/readyz', '/metrics']) {
      const { status, body } = await get(path);
      expect(status).toBe(500);
      expect(body).toContain('told to fail');
    }
    expect(await get('/healthz')).toMatchObject({ status: 200 });
  });

  it('are all there is, and are only read', async () => {
    for (const path of ['/', '/metrics/', '/constructor', '/..%2fetc', '//healthz']) {
      expect(await get(path), path).toMatchObject({ status: 404 });
    }
    expect(await get('/metrics', { method: 'POST', body: 'x' })).toMatchObject({ status: 405 });
    expect(await get('/metrics', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it('say which port is taken', async () => {
    const other = await listen(() => undefined, 0, '127.0.0.1');
    const { port } = other.address() as { port: number };
    const opening = serveProbes({ metrics: async () => '', readiness }, { port, host: '127.0.0.1' });
    await expect(opening).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: the port is taken`);
    await closeServer(other);
  });
});
