import { encodeRequestSchema, FarmError, redisKeys } from '@embedfarm/contract';
import type { RequestRow } from '@embedfarm/farm/figures';
import { Producer } from '@embedfarm/farm/producer';
import { FarmWorker } from '@embedfarm/farm/worker';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDashboard } from '../dashboard.ts';
import type { RunningDashboard } from '../serve-board.ts';

checkOpenHandles();

const KEY = 'correct-horse-battery';
const LABEL = '<img src=x onerror=alert(1)>';
const TEXTS = Array.from({ length: 768 }, (_, index) => `text ${index}`);

describe('actions from the board', () => {
  let redis: TestRedis;
  let client: Redis;
  let producer: Producer;
  let worker: FarmWorker;
  let encoder: FakeEncoder;
  let dashboard: RunningDashboard;

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });
  beforeEach(async () => {
    await client.flushall();
    encoder = new FakeEncoder();
    worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: redis.url });
    producer = await Producer.open({ redis: redis.url });
    dashboard = await openDashboard({ redis: redis.url, port: 0, key: KEY });
  });
  afterEach(async () => {
    await dashboard.close();
    await producer.close();
    encoder.release();
    await worker.close();
  });

  async function ask(path: string, method = 'GET'): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${dashboard.url}/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/u);
    return { status: response.status, body: await response.json() };
  }

  const submit = async (): Promise<string> => {
    const request = encodeRequestSchema.parse({ tenant: 'acme' });
    return (await producer.requests.submit(TEXTS, request, { label: LABEL }, {})).requestId;
  };

  /** When the board has read it so. */
  const rowOf = (id: string, isSo: (row: RequestRow) => boolean): Promise<RequestRow> =>
    eventually(async () => {
      const { requests } = (await ask('requests')).body as { requests: RequestRow[] };
      return requests.find((row) => row.requestId === id && isSo(row));
    });

  it('take a request back as its producer would, so that the farm holds nothing of it', async () => {
    encoder.hold();
    const id = await submit();
    await encoder.arrived(2);
    expect(await rowOf(id, ({ canCancel }) => canCancel)).toMatchObject({ label: LABEL, texts: 768 });
    expect(await ask(`requests/${id}/cancel`, 'POST')).toMatchObject({
      status: 200,
      body: { requestId: id, state: 'cancelled' },
    });
    await producer.requests.wait(id, {});
    expect(await client.zcard('{embedfarm}:fake-bulk:prioritized')).toBe(0);
    expect(await client.zcard(redisKeys().openRequests)).toBe(0);
    expect(await client.hget(redisKeys().admission, `r:${id}`)).toBeNull();
    expect(await rowOf(id, ({ canCancel }) => !canCancel)).toMatchObject({ state: 'cancelled', etaMs: 0 });
    // Once more changes nothing.
    expect(await ask(`requests/${id}/cancel`, 'POST')).toMatchObject({ body: { state: 'cancelled' } });
  });

  it('submit what failed once more, and are no client of the farm after it', async () => {
    encoder.failNext(new FarmError('invalid_argument', 'the device does not like it'));
    const id = await submit();
    await producer.requests.wait(id, {});
    expect(await rowOf(id, ({ canRetry }) => canRetry)).toMatchObject({ textsFailed: 256 });
    const { status, body } = await ask(`requests/${id}/retry`, 'POST');
    expect(status).toBe(200);
    const { requestId } = body as { requestId: string };
    expect(await producer.requests.wait(requestId, {})).toMatchObject({
      state: 'completed',
      label: LABEL,
      tenant: 'acme',
      lane: 'bulk',
      textsDone: 256,
    });
    await rowOf(id, ({ canRetry }) => !canRetry);
    expect(await client.zrevrange(redisKeys().clients, 0, -1)).toEqual([producer.clientId]);
    expect(await ask(`requests/${id}/retry`, 'POST')).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_argument', message: expect.stringContaining(requestId) } },
    });
  });

  it('say what there is not', async () => {
    for (const action of ['cancel', 'retry']) {
      expect(await ask(`requests/0-never-1/${action}`, 'POST')).toMatchObject({
        status: 410,
        body: { error: { code: 'result_expired' } },
      });
    }
  });
});
