import { redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDashboard } from './dashboard.ts';
import type { RunningDashboard } from './serve-board.ts';
import { EMPTY_STATUS } from './testing/fake-farm-view.ts';

checkOpenHandles();

let redis: TestRedis;
let dashboard: RunningDashboard;

beforeAll(async () => {
  redis = await openTestRedis();
});
afterAll(() => redis.close());
beforeEach(async () => {
  dashboard = await openDashboard({ redis: redis.url, port: 0 });
});
afterEach(() => dashboard.close());

async function get(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${dashboard.url}${path}`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, body: await response.json() };
}

it('shows an empty farm as one', async () => {
  expect(await get('/api/status')).toEqual({
    status: 200,
    body: { ...EMPTY_STATUS, admission: expect.objectContaining({ texts: 0, bytes: 0 }) },
  });
});

it('gives a depth of five minutes, a zero for each second without a record', async () => {
  const { body } = await get('/api/series');
  const { series } = body as { series: { second: number; texts: number }[] };
  expect(series).toHaveLength(300);
  const [first] = series;
  for (const [index, { second }] of series.entries()) expect(second).toBe((first?.second ?? 0) + index);
});

it('records the depth while it is open, with no worker anywhere', async () => {
  const client = new Redis(redis.url);
  const { statsPrefix } = redisKeys();
  const keys = await eventually(async () => {
    const found = await client.keys(`${statsPrefix}*`);
    return found.length >= 2 ? found : undefined;
  });
  expect(await client.hgetall(keys[0] ?? '')).toEqual({
    clients: '0',
    'backlog:interactive': '0',
    'backlog:bulk': '0',
  });
  client.disconnect();
});

it('says that Redis is gone, and goes on when it is back', async () => {
  await redis.kill();
  await eventually(async () => (await get('/api/status')).status === 503);
  expect(await get('/healthz')).toMatchObject({ status: 200, body: { redis: 'down' } });
  await redis.restart();
  await eventually(async () => (await get('/api/status')).status === 200);
});

it('opens and closes where there is no Redis', async () => {
  // Nothing listens on port 1.
  const alone = await openDashboard({ redis: 'redis://127.0.0.1:1', port: 0 });
  const answer = await fetch(`${alone.url}/api/status`);
  expect(answer.status).toBe(503);
  await alone.close();
});

it('names a broken option', async () => {
  await expect(openDashboard({ redis: redis.url, port: 70_000 })).rejects.toThrow(/port/u);
  await expect(openDashboard({ redis: 'http://127.0.0.1' })).rejects.toThrow(/redis/u);
});
