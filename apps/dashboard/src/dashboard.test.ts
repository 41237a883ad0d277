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

async function scrape(): Promise<{ status: number; body: string }> {
  const response = await fetch(`${dashboard.url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, body: await response.text() };
}

const REGISTRATION = {
  fingerprint: 'f',
  dimensions: 4,
  maxSequenceLength: 32,
  pooling: 'mean',
  normalize: true,
  meaningful: true,
};

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
    oldestMs: '0',
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

it('serves metrics of the farm and its queues, and of itself alone while Redis is gone', async () => {
  const client = new Redis(redis.url);
  client.on('error', () => undefined);
  const keys = redisKeys();
  const registration = { ...REGISTRATION, model: 'org/tiny' };
  await client.hset(keys.model('org/tiny'), 'registration', JSON.stringify(registration));
  await client.zadd(keys.models, Date.now(), 'org/tiny', Date.now(), 'no "model"\n', Date.now(), 'gone');
  await client.hset(keys.model('gone'), 'registration', '{"garbage":');
  await client.rpush(keys.jobPrefix('org/tiny', 'interactive') + 'wait', 'a', 'b');
  // Heard of just now, each of them.
  const heard = Array.from({ length: 10_000 }, (_, index) => [Date.now(), `client-${index}`]).flat();
  await client.zadd(keys.clients, ...heard);
  const text = await eventually(async () => {
    const { body } = await scrape();
    // BullMQ's part is left out of a scrape that it would hold up.
    return body.includes('farm_clients 10000\n') && body.includes('bullmq_job_count') ? body : undefined;
  });
  expect(text).toContain('farm_backlog_jobs{model="org/tiny",lane="interactive"} 2\n');
  expect(text).toContain('bullmq_job_count{queue="org/tiny-interactive", state="waiting"} 2\n');
  expect(text).not.toMatch(/no .?"model|"gone|garbage/u);
  expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready' } });

  await redis.kill();
  await eventually(async () => (await get('/readyz')).status === 503);
  const alone = await scrape();
  expect(alone.status).toBe(200);
  expect(alone.body).toMatch(/^farm_redis_up 0$/mu);
  expect(alone.body).not.toMatch(/^(bullmq|farm_clients )/mu);
  client.disconnect();
  await redis.restart();
});

it('stays calm over what was put under its keys by hand', async () => {
  const client = new Redis(redis.url);
  await client.flushall();
  const keys = redisKeys();
  const [seconds] = await client.time();
  // Of the next minute, as the board reads on.
  for (let second = 0; second < 60; second += 1) {
    const key = keys.statsSecond(Number(seconds) + second);
    if (second % 2 === 0) await client.set(key, 'garbage');
    else await client.hset(key, { texts: 'NaN', tokens: '<b>', clients: '-', 'worker:<img>': '1e999' });
  }
  for (const minute of [-1, 0, 1]) {
    await client.set(keys.statsMinute(Math.floor(Number(seconds) / 60) + minute), 'garbage');
  }
  await client.set(keys.clientReports, 'garbage');
  await client.set(keys.failureSamples, 'garbage');
  await client.hset(keys.benchCurves, 'a', '{', 'b', '{"curve":"<script>"}');
  const ids = ['0-a-1', '0-a-2', '<script>', '0-a-3'];
  for (const id of ids)
    await client.zadd(keys.requests, 1, id).then(() => client.zadd(keys.openRequests, 1, id));
  await client.set(keys.request('0-a-1'), 'garbage');
  await client.hset(keys.request('0-a-2'), { state: 'eating', texts: 'many' });
  await client.hset(keys.request('<script>'), 'state', '<script>');
  const points = await eventually(async () => {
    const { status, body } = await get('/api/board');
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(/eating|NaN/u);
    const board = body as { redis: string; points: { second: number; texts: number }[] };
    const isPast = (board.points.at(-1)?.second ?? 0) > Number(seconds) + 2;
    return board.redis === 'up' && isPast ? board.points : undefined;
  });
  expect(points.filter(({ second }) => second > Number(seconds)).map(({ texts }) => texts)).toContain(0);
  expect(await get('/api/requests')).toEqual({ status: 200, body: { requests: [] } });
  await client.flushall();
  client.disconnect();
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
