import { modelRegistrationSchema, redisKeys, workerReportSchema } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { parsePrometheusText, type PrometheusFamily } from '@embedfarm/testkit/prometheus-text';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDashboard } from './dashboard.ts';
import type { RunningDashboard } from './serve-board.ts';

checkOpenHandles();

const keys = redisKeys();
const REGISTRATION = modelRegistrationSchema.parse({
  model: 'org/tiny',
  fingerprint: 'f',
  dimensions: 4,
  maxSequenceLength: 32,
  pooling: 'mean',
  normalize: true,
  meaningful: true,
});
const REPORT = workerReportSchema.parse({
  workerId: 'w-1',
  host: '<script>alert(1)</script>',
  pid: 1,
  model: 'org/tiny',
  fingerprint: '<b>"\\\n',
  state: 'running',
  devices: [{ name: 'cpu/0"\n} 1', slots: 1, tokenBudget: 1, busyShare: 0.5 }],
  textsPerSecond: 50,
  tokensPerSecond: 500,
  waitingTexts: 0,
  residentBytes: 1,
  startedAtMs: 0,
});

let redis: TestRedis;
let client: Redis;
let dashboard: RunningDashboard;

beforeAll(async () => {
  redis = await openTestRedis();
  client = new Redis(redis.url);
  // While it is restarted.
  client.on('error', () => undefined);
});
beforeEach(async () => {
  await client.flushall();
  const nowMs = await redisNowMs();
  await client.zadd(keys.models, nowMs, 'org/tiny');
  await client.hset(keys.model('org/tiny'), 'fingerprint', 'f', 'registration', JSON.stringify(REGISTRATION));
  await client.zadd(keys.workers, nowMs + 3_600_000, 'w-1');
  await client.set(keys.worker('w-1'), JSON.stringify(REPORT));
  dashboard = await openDashboard({ redis: redis.url, port: 0 });
});
afterEach(() => dashboard.close());
afterAll(async () => {
  client.disconnect();
  await redis.close();
});

async function redisNowMs(): Promise<number> {
  const [seconds] = await client.time();
  return Number(seconds) * 1_000;
}

async function get(path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${dashboard.url}${path}`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, body: await response.text() };
}

async function scrape(): Promise<Map<string, PrometheusFamily>> {
  const { status, body } = await get('/metrics');
  expect(status).toBe(200);
  return parsePrometheusText(body);
}

/** The value of a metric's one series with these labels. */
function valueOf(
  families: Map<string, PrometheusFamily>,
  name: string,
  labels: object = {},
): number | undefined {
  const found = families
    .get(name)
    ?.samples.filter((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels));
  return found?.length === 1 ? found[0]?.value : undefined;
}

let rate = 50;

/** Of a board that has read Redis after this call. */
async function fresh(given: object = {}): Promise<Map<string, PrometheusFamily>> {
  rate += 1;
  await client.set(keys.worker('w-1'), JSON.stringify({ ...REPORT, ...given, textsPerSecond: rate }));
  return await eventually(async () => {
    const families = await scrape();
    const told = families.get('farm_texts_per_second')?.samples.map(({ value }) => value) ?? [];
    return told.includes(rate) ? families : undefined;
  });
}

describe('the metrics of a farm', () => {
  it('are text that Prometheus reads', async () => {
    const families = await fresh();
    expect(valueOf(families, 'farm_redis_up')).toBe(1);
    expect(valueOf(families, 'farm_devices')).toBe(1);
    expect(valueOf(families, 'farm_workers', { model: 'org/tiny', state: 'running' })).toBe(1);
    expect(families.get('bullmq_job_count')?.samples.length).toBeGreaterThan(5);
    expect((await get('/metrics')).body).not.toContain('alert(1)');
  });

  it('are so with no worker at all, and with no model', async () => {
    await client.flushall();
    await eventually(async () => (await scrape()).get('farm_workers')?.samples.length === 0);
    const families = await scrape();
    expect(valueOf(families, 'farm_redis_up')).toBe(1);
    expect(valueOf(families, 'farm_clear_seconds')).toBe(0);
    expect(await get('/readyz')).toEqual({ status: 200, body: '{"status":"ready"}' });
  });

  it('count 10,000 clients without a series for each', async () => {
    const nowMs = await redisNowMs();
    const before = (await get('/metrics')).body.length;
    const clients = Array.from({ length: 10_000 }, (_, n) => [
      nowMs + 3_600_000,
      `<b>client ${n}</b>`,
    ]).flat();
    await client.zadd(keys.clients, ...clients);
    const families = await fresh();
    expect(valueOf(families, 'farm_clients')).toBe(10_000);
    expect((await get('/metrics')).body.length).toBeLessThan(before + 2_000);
  });

  it('outlive junk in the place of what they are read from, and Redis is up all the same', async () => {
    const spoilt = [
      keys.clients,
      keys.openRequests,
      keys.webhooksDue,
      keys.admission,
      keys.limits,
      keys.modelWorkers('org/tiny'),
      ...['wait', 'prioritized'].map((part) => keys.jobPrefix('org/tiny', 'bulk') + part),
    ];
    for (const kind of ['string', 'list', 'set']) {
      await client.del(...spoilt);
      for (const key of spoilt) {
        if (kind === 'string') await client.set(key, 'junk');
        else if (kind === 'list') await client.rpush(key, 'junk');
        else await client.sadd(key, 'junk');
      }
      const families = await fresh();
      expect(valueOf(families, 'farm_redis_up')).toBe(1);
      expect(valueOf(families, 'farm_devices')).toBe(1);
      const farms = [...families].filter(([name]) => name.startsWith('farm_'));
      const values = farms.flatMap(([, { samples }]) => samples.map(({ value }) => value));
      expect(values.every((value) => value >= 0)).toBe(true);
    }
    expect(await get('/readyz')).toMatchObject({ status: 200 });
  });

  it('outlive junk in the place of the seconds and minutes', async () => {
    const second = (await redisNowMs()) / 1_000;
    for (let ahead = -5; ahead < 10; ahead += 1) {
      const key = keys.statsSecond(second + ahead);
      await client.del(key);
      if (ahead % 2 === 0) await client.set(key, 'junk');
      else await client.hset(key, 'texts', 'many', 'clients', '-1', 'worker:<b>', 'NaN', 'cacheLookups', 'x');
    }
    await client.set(keys.statsMinute(Math.floor(second / 60)), 'junk');
    const families = await fresh();
    expect(valueOf(families, 'farm_redis_up')).toBe(1);
    expect(valueOf(families, 'farm_recent_cache_lookups')).toBe(0);
  });

  it('leave out reports and models that are none, and count none twice', async () => {
    const nowMs = (await redisNowMs()) + 3_600_000;
    const reports = [
      '',
      '{',
      'null',
      '[]',
      '{"workerId":"x"}',
      JSON.stringify({ ...REPORT, textsPerSecond: -5 }),
    ];
    reports.push(JSON.stringify(REPORT).replace('"pid":1', '"pid":1e999'), 'x'.repeat(1_000_000));
    for (const [index, report] of reports.entries()) {
      await client.zadd(keys.workers, nowMs, `junk-${index}`);
      await client.set(keys.worker(`junk-${index}`), report);
    }
    await client.zadd(keys.workers, nowMs, 'a list');
    await client.rpush(keys.worker('a list'), 'junk');
    const names = ['a"b\\\n} 1', '<img src=x onerror=alert(1)>', 'org/other', 'spoilt', 'gone'];
    for (const name of names) await client.zadd(keys.models, nowMs, name);
    for (const name of names.slice(0, 3))
      await client.hset(keys.model(name), 'registration', JSON.stringify(REGISTRATION));
    await client.set(keys.model('spoilt'), 'junk');
    const families = await fresh();
    expect(valueOf(families, 'farm_devices')).toBe(1);
    const models = families.get('farm_backlog_jobs')?.samples.map(({ labels }) => labels['model']);
    expect(models).toEqual(['org/tiny', 'org/tiny']);
    const queues = new Set(families.get('bullmq_job_count')?.samples.map(({ labels }) => labels['queue']));
    expect(queues).toEqual(new Set(['org/tiny-interactive', 'org/tiny-bulk', 'webhooks']));
  });

  it('say that Redis is down while it is, and that alone', async () => {
    await fresh();
    await redis.kill();
    const families = await eventually(async () => {
      const told = await scrape();
      return valueOf(told, 'farm_redis_up') === 0 ? told : undefined;
    });
    const named = [...families].filter(
      ([name, { samples }]) => name.startsWith('farm_') && samples.length > 0,
    );
    expect(named.map(([name]) => name).toSorted()).toEqual(['farm_build_info', 'farm_redis_up']);
    expect(families.has('process_resident_memory_bytes')).toBe(true);
    const { status, body } = await get('/readyz');
    expect([status, JSON.parse(body)]).toMatchObject([503, { reason: 'redis_unavailable' }]);
    expect((await get('/healthz')).status).toBe(200);
    await redis.restart();
    await eventually(async () => (await get('/readyz')).status === 200);
    expect(valueOf(await scrape(), 'farm_redis_up')).toBe(1);
  });
});
