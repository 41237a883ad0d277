import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openGateway } from './gateway.ts';
import { TestGateway } from './testing/test-gateway.ts';

let test: TestGateway;
beforeAll(async () => {
  test = await TestGateway.open();
});
afterEach(() => test.rest());
afterAll(() => test.close());

const request = (input: unknown = 'a text') => ({ body: { model: 'fake', input } });

describe('a gateway', () => {
  it('gives every request an id, its own where that is one', async () => {
    await test.openGateway();
    const idOf = async (given?: string) =>
      (
        await test.ask('/healthz', given === undefined ? {} : { headers: { 'X-Request-Id': given } })
      ).headers.get('X-Request-Id');
    expect(await idOf('a.b:c-1')).toBe('a.b:c-1');
    const [made, other] = [await idOf(), await idOf('no spaces')];
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect(other).toMatch(/^[0-9a-f-]{36}$/);
    expect(other).not.toBe(made);
  });

  it('lets nothing be framed, guessed or kept, and does not say what it is made of', async () => {
    await test.openGateway();
    const { headers } = await test.ask('/v1/models');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('X-Powered-By')).toBeNull();
  });

  it.each([
    ['/nothing', { error: { code: 'not_found', message: 'nothing at GET /nothing' } }],
    ['/v1/nothing', { error: { code: 'not_found', type: 'invalid_request_error', param: null } }],
    ['/decode', { error_type: 'Validation', error: 'nothing at GET /decode' }],
    ['/status/nothing', { status: 404, type: 'not_found' }],
  ])('says 404 at %s in the shape of the door', async (path, body) => {
    await test.openGateway();
    expect(await test.ask(path)).toMatchObject({ status: 404, body });
  });

  it('refuses bodies that are no JSON, too large, or of another type', async () => {
    await test.openFakeWorker();
    await test.openGateway({ maxBodyBytes: 1_024 });
    const ask = async (body: string, type = 'application/json', more = {}) =>
      await test.ask('/v1/embeddings', { body, headers: { 'Content-Type': type, ...more } });
    const [broken, large, form, empty, packed] = await Promise.all([
      ask('{"model":'),
      ask(JSON.stringify({ model: 'fake', input: 'x'.repeat(2_000) })),
      ask('model=fake', 'application/x-www-form-urlencoded'),
      test.ask('/v1/embeddings', { method: 'POST' }),
      ask('no gzip', 'application/json', { 'Content-Encoding': 'gzip' }),
    ]);
    expect(broken).toMatchObject({ status: 400, body: { error: { message: 'the body is not JSON' } } });
    expect(large).toMatchObject({
      status: 413,
      body: { error: { message: 'the body is too large, limit is 1024 bytes' } },
    });
    expect(form.status).toBe(400);
    expect(form.body.error.message).toContain('Content-Type: application/json');
    expect(empty.status).toBe(400);
    expect(packed.status).toBe(400);
  });

  it('tells those beyond its limits to come back', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await test.openFakeWorker(encoder);
    await test.openGateway({ maxOpenRequests: 1 });
    await test.ready();
    const first = test.ask('/v1/embeddings', request());
    await encoder.arrived(1);
    const refused = await test.ask('/v1/embeddings', request('another'));
    expect(refused).toMatchObject({
      status: 429,
      body: { error: { code: 'rate_limit_exceeded', type: 'rate_limit_error' } },
    });
    expect(refused.headers.get('Retry-After')).toBe('1');
    encoder.release();
    expect((await first).status).toBe(200);
  });

  it('holds of bodies what has come, so that who announces much and sends nothing is in nobody’s way', async () => {
    await test.openFakeWorker();
    const gateway = await test.openGateway({ maxHeldBytes: 100_000, maxOpenRequests: 2 });
    await test.ready();
    const head = 'POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const slow = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await openSocket(gateway.url);
        socket.write(`${head}Content-Length: 90000\r\n\r\n{`);
        return socket;
      }),
    );
    const held = async (bytes: number) =>
      (await test.ask('/metrics')).body.includes(`farm_gateway_held_bytes ${bytes}\n`);
    await eventually(() => held(20), { what: 'a byte of each' });
    expect((await test.ask('/v1/embeddings', request())).status).toBe(200);
    // Those who send it all are told when there is no more room, and read no further.
    for (const socket of slow.slice(0, 2)) socket.write('x'.repeat(60_000));
    const [answer] = await Promise.race(slow.slice(0, 2).map((socket) => once(socket, 'data')));
    expect(String(answer)).toMatch(/^HTTP\/1.1 429 [^]*Connection: close[^]*rate_limit_exceeded/);
    for (const socket of slow) socket.destroy();
    await eventually(() => held(0), { what: 'nothing held' });
    expect((await test.ask('/v1/embeddings', request())).status).toBe(200);
  });

  it('gives up what nobody waits for any more', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await test.openFakeWorker(encoder);
    await test.openGateway();
    await test.ready();
    const leave = new AbortController();
    const gone = test.ask('/v1/embeddings', { ...request('left'), signal: leave.signal });
    await encoder.arrived(1);
    leave.abort();
    await expect(gone).rejects.toThrow('abort');
    await eventually(async () => {
      const { body } = await test.ask('/metrics');
      return body.includes('farm_gateway_requests_total{door="openai",status="499"} 1');
    });
    // The chunk is aborted in its worker, which has none held then.
    encoder.release();
    expect((await test.ask('/v1/embeddings', request('next'))).status).toBe(200);
  });

  it('counts requests, texts and tokens by door, and what is open', async () => {
    await test.openFakeWorker();
    await test.openGateway();
    await test.ready();
    await test.ask('/v1/embeddings', request(['one', 'three']));
    await test.ask('/v1/embeddings', { body: { model: 'fake' } });
    const { body, headers } = await eventually(async () => {
      const scrape = await test.ask('/metrics');
      return scrape.body.includes('farm_gateway_requests_total{door="openai",status="400"} 1')
        ? scrape
        : undefined;
    });
    expect(headers.get('Content-Type')).toContain('text/plain; version=0.0.4');
    for (const line of [
      'farm_gateway_requests_total{door="openai",status="200"} 1',
      'farm_gateway_texts_total{door="openai"} 2',
      'farm_gateway_tokens_total{door="openai"} 12',
      'farm_gateway_request_seconds_count{door="openai"} 2',
      'farm_gateway_open_requests 1',
      'farm_gateway_held_bytes 0',
      'farm_build_info{role="gateway",version="0.1.0"} 1',
    ])
      expect(body).toContain(line);
    expect(body).toMatch(/farm_gateway_connections [1-9]/);
  });
});

describe('the readiness of a gateway', () => {
  it('is that of the farm behind it, with the reason', async () => {
    const place = { prefix: '{fresh}' };
    await test.openGateway(place);
    await eventually(async () => (await test.ask('/readyz')).body.reason === 'model_not_found');
    const worker = await test.openFakeWorker(new FakeEncoder(), place);
    await eventually(async () => (await test.ask('/readyz')).status === 200);
    await worker.close();
    const { body } = await eventually(async () => {
      const answer = await test.ask('/readyz');
      return answer.body.reason === 'no_worker' ? answer : undefined;
    });
    expect(body.message).toBe('no worker serves fake now');
  });

  it('says that Redis is gone, as every door does', async () => {
    await test.openGateway({ redis: 'redis://127.0.0.1:1' });
    expect((await test.ask('/healthz')).status).toBe(200);
    const [ready, models, encoded] = await Promise.all([
      test.ask('/readyz'),
      test.ask('/v1/models'),
      test.ask('/v1/embeddings', request()),
    ]);
    expect(ready).toMatchObject({ status: 503, body: { status: 'unready', reason: 'redis_unavailable' } });
    expect(models).toMatchObject({
      status: 503,
      body: { error: { code: 'redis_unavailable', type: 'server_error' } },
    });
    expect(encoded.body.error.message).toBe('Redis at redis://127.0.0.1:1 does not answer');
  });
});

describe('a gateway whose Redis is killed', () => {
  it('says so, and goes on when it is back', async () => {
    await test.openFakeWorker();
    await test.openGateway();
    await test.ready();
    expect((await test.ask('/v1/embeddings', request())).status).toBe(200);
    await test.redis.kill();
    await eventually(async () => (await test.ask('/readyz')).body.reason === 'redis_unavailable');
    await test.redis.restart();
    await test.ready();
    expect((await test.ask('/v1/embeddings', request())).status).toBe(200);
  });
});

describe('a gateway that is told to stop', () => {
  it('finishes what is open, tells what is new to go elsewhere, and lets go of its port', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await test.openFakeWorker(encoder);
    const gateway = await test.openGateway();
    await test.ready();
    const kept = await openSocket(gateway.url);
    kept.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(kept, 'data');
    const begun = test.ask('/v1/embeddings', request());
    await encoder.arrived(1);
    const closed = gateway.close();
    kept.write('GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n');
    const [bytes] = (await once(kept, 'data')) as [Buffer];
    expect(bytes.toString()).toMatch(/^HTTP\/1.1 503 [^]*Connection: close[^]*no_worker/);
    expect(await test.ask('/readyz')).toMatchObject({ status: 503, body: { reason: 'draining' } });
    encoder.release();
    expect((await begun).status).toBe(200);
    await closed;
    await gateway.close();
    await expect(fetch(gateway.url)).rejects.toThrow('fetch failed');
    kept.destroy();
  });

  it('waits no longer than its grace', async () => {
    const encoder = new FakeEncoder();
    encoder.hold();
    await test.openFakeWorker(encoder);
    const gateway = await test.openGateway();
    await test.ready();
    const begun = test.ask('/v1/embeddings', request()).catch(() => 'cut off');
    await encoder.arrived(1);
    await gateway.close({ graceMs: 20 });
    expect(await begun).toBe('cut off');
    encoder.release();
  });

  it('does not open on a port that is taken, or with options that are none', async () => {
    const { url } = await test.openGateway();
    const port = Number(new URL(url).port);
    await expect(openGateway({ redis: test.redis.url, port })).rejects.toThrow('the port is taken');
    await expect(
      openGateway({ redis: test.redis.url, corsOrigins: ['https://a.example/x'] }),
    ).rejects.toThrow('corsOrigins');
  });
});

async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}
