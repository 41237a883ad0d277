import { createHash } from 'node:crypto';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';
import type { ApiKey } from './api-keys.ts';

const key = (name: string, more: Partial<ApiKey> = {}): ApiKey => ({
  name,
  sha256: createHash('sha256').update(`key-of-${name}`).digest('hex'),
  ...more,
});
const bearer = (name: string) => ({ Authorization: `Bearer key-of-${name}` });

let test: TestGateway;
let farm: EmbeddingFarm;
beforeAll(async () => {
  test = await TestGateway.open();
  await test.openFakeWorker(new FakeEncoder());
  farm = await test.connect();
  await test.openGateway({
    keys: [key('web'), key('import', { weight: 3 }), key('slow', { textsPerSecond: 0.01, burstTexts: 10 })],
    corsOrigins: ['https://app.example.com'],
  });
  await test.ready();
});
afterAll(() => test.close());

const body = (input: unknown = 'a text') => ({ model: 'fake', input });

describe('a gateway with keys', () => {
  it.each([
    ['/v1/embeddings', { error: { code: 'invalid_api_key', type: 'invalid_request_error' } }],
    ['/encode', { error: { code: 'unauthenticated' } }],
    ['/requests', { error: { code: 'unauthenticated' } }],
    ['/embed', { error_type: 'Unauthorized' }],
    ['/status/server', { type: 'unauthenticated', status: 401 }],
    ['/nothing', { error: { code: 'unauthenticated' } }],
  ])('lets nobody to %s without one, and says so in the shape of the door', async (path, shape) => {
    for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: 'Basic a2V5' }]) {
      const answer = await test.ask(path, { method: 'POST', headers });
      expect(answer).toMatchObject({ status: 401, body: shape });
      expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer');
    }
  });

  it('lets those in who have one, in any of the headers that clients use', async () => {
    for (const headers of [bearer('web'), { 'X-Api-Key': 'key-of-web' }, { 'Api-Key': 'key-of-web' }]) {
      expect((await test.ask('/v1/embeddings', { body: body(), headers })).status).toBe(200);
    }
    const client = new OpenAI({ baseURL: `${test.url}/v1`, apiKey: 'key-of-web', maxRetries: 0 });
    expect((await client.embeddings.create({ model: 'fake', input: 'x' })).data).toHaveLength(1);
    const wrong = new OpenAI({ baseURL: `${test.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
  });

  it('lets those who watch it in without one', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await test.ask(path)).status).toBe(200);
  });

  it('gives each its weight in the farm, and no way to be another', async () => {
    expect(await farm.weights()).toEqual({ import: 3 });
    const texts = Array.from({ length: 300 }, () => 'a');
    const answer = await test.ask('/requests', { body: { texts, tenant: 'import' }, headers: bearer('web') });
    expect(await farm.request(answer.body.id).status()).toMatchObject({ tenant: 'web' });
  });

  it('shows and gives requests to nobody but who submitted them', async () => {
    const { body: mine } = await test.ask('/requests', { body: { texts: ['a'] }, headers: bearer('web') });
    await farm.request(mine.id).wait();
    const path = `/requests/${mine.id}`;
    for (const [at, method] of [
      [path, 'GET'],
      [`${path}/result`, 'GET'],
      [`${path}/events`, 'GET'],
      [path, 'DELETE'],
    ] as const) {
      const other = await test.ask(at, { method, headers: bearer('import') });
      expect(other).toMatchObject({ status: 410, body: { error: { code: 'result_expired' } } });
      expect((await test.ask(at, { method, headers: bearer('web') })).status).toBe(200);
    }
  });

  it('tells those who take too much when to come back, in the shape of the door', async () => {
    const headers = bearer('slow');
    expect((await test.ask('/encode', { body: { texts: Array(10).fill('a') }, headers })).status).toBe(200);
    const refused = await test.ask('/v1/embeddings', { body: body(), headers });
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limit_exceeded' } } });
    expect(refused.body.error.message).toContain('"slow" may take 0.01 texts a second');
    const seconds = Number(refused.headers.get('Retry-After'));
    expect(seconds).toBeGreaterThan(80);
    expect(seconds).toBeLessThanOrEqual(100);
    const submitted = await test.ask('/requests', { body: { texts: ['a'] }, headers });
    expect(submitted).toMatchObject({ status: 429, body: { error: { code: 'overloaded' } } });
    // Others are not told.
    expect((await test.ask('/v1/embeddings', { body: body(), headers: bearer('web') })).status).toBe(200);
  });
});

describe('a page in a browser', () => {
  const preflight = (origin: string, asked = 'authorization, content-type, x-stainless-os') =>
    test.ask('/v1/embeddings', {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked,
      },
    });

  it('of an origin that is let in may send the key, which is not asked for before', async () => {
    const { status, headers } = await preflight('https://app.example.com');
    expect(status).toBe(204);
    expect(headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com');
    expect(headers.get('Access-Control-Allow-Headers')).toBe('authorization, content-type, x-stainless-os');
    expect(headers.get('Access-Control-Allow-Methods')).toContain('POST');
    expect(headers.get('Vary')).toContain('Origin');
    const answer = await test.ask('/v1/embeddings', {
      body: body(),
      headers: { ...bearer('web'), Origin: 'https://app.example.com' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com');
    expect(answer.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After');
  });

  it('reads also what is wrong', async () => {
    const answer = await test.ask('/v1/models', { headers: { Origin: 'https://app.example.com' } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com');
  });

  it('of another origin may not', async () => {
    const { status, headers } = await preflight('https://evil.example.com');
    expect(status).toBe(401);
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});
