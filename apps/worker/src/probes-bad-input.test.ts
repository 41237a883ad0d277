import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequestSchema, type ModelRegistration } from '@embedfarm/contract';
import type { BatchEnd } from '@embedfarm/engine/batch/batch-end';
import type { Engine } from '@embedfarm/engine/engine';
import { Producer } from '@embedfarm/farm/producer';
import type { JobEnd } from '@embedfarm/farm/worker';
import { freePort } from '@embedfarm/service/free-port';
import { callRedis } from '@embedfarm/testkit/call-redis';
import { eventually } from '@embedfarm/testkit/eventually';
import { parsePrometheusText } from '@embedfarm/testkit/prometheus-text';
import { openTestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerProbes } from './worker-probes.ts';
import { openWorker } from './worker.ts';

const ODD = 'a"b\\c\nfarm_redis_up 1 <script>é\r\u2028';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedfarm-odd-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function get(url: string, path: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(url + path, { signal: AbortSignal.timeout(10_000) });
  return { status: answer.status, body: await answer.text() };
}

/** An engine of one device, as far as probes look at it. */
class WatchedEngine {
  devicesLost = 0;
  #tell: (batch: BatchEnd) => void = () => undefined;
  readonly name: string;

  constructor(name = 'cpu/0') {
    this.name = name;
  }

  get engine(): Engine {
    const told = (tell: (batch: BatchEnd) => void): (() => void) => {
      this.#tell = tell;
      return () => undefined;
    };
    const counters = () => ({ devicesLost: this.devicesLost });
    const parts = {
      deviceReports: () => [{ name: this.name, slots: 1, tokenBudget: 1, busyShare: 0 }],
      onBatch: told,
      backlogMs: 0,
      waitingTexts: 0,
      get counters() {
        return counters();
      },
    };
    return parts as unknown as Engine;
  }

  runBatch(): void {
    this.#tell({
      devices: [this.name],
      texts: 1,
      tokens: 4,
      slotTokens: 4,
      tokenBudget: 8,
      durationMs: 1,
    } as BatchEnd);
  }
}

const RUNNING = { state: 'running', heldJobs: 0, isRedisUp: async () => true } as const;
const REGISTRATION = { model: ODD, fingerprint: ODD, dtype: 'float32' } as ModelRegistration;

describe('the metrics of a worker', () => {
  it('are text that Prometheus reads, whatever its model and devices are called', async () => {
    const probes = new WorkerProbes();
    const before = parsePrometheusText(await probes.metrics.text());
    expect(before.get('farm_build_info')?.samples).toHaveLength(1);
    const watched = new WatchedEngine(ODD);
    probes.watch(RUNNING, watched.engine, REGISTRATION);
    watched.runBatch();
    const outcomes = ['done', 'failed', 'cancelled', 'retried', 'returned', 'skipped'] as const;
    for (const outcome of outcomes) probes.metrics.jobEnded(jobEnd({ outcome }));
    const families = parsePrometheusText(await probes.metrics.text());
    expect(families.get('farm_build_info')?.samples).toMatchObject([
      { labels: { role: 'worker', model: ODD, fingerprint: ODD }, value: 1 },
    ]);
    expect(families.get('farm_device_busy_seconds_total')?.samples).toMatchObject([
      { labels: { device: ODD } },
    ]);
    expect(families.get('farm_jobs_total')?.samples.length).toBeGreaterThanOrEqual(outcomes.length);
    expect(families.get('farm_redis_up')?.samples).toEqual([{ name: 'farm_redis_up', labels: {}, value: 1 }]);
  });

  it('stay so beside junk in Redis', async () => {
    const redis = await openTestRedis();
    const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
    const cacheDir = join(folder, 'cache');
    const options = { redis: redis.url, model, cacheDir, devices: 'cpu:1', calibrate: false, metricsPort: 0 };
    const worker = await openWorker(options);
    const url = worker.metricsUrl ?? '';
    const producer = await Producer.open({ redis: redis.url });
    const request = encodeRequestSchema.parse({ model: 'tiny', tenant: 'b' });
    for (const key of ['clients', 'open-requests', 'webhooks-due', 'stats:1'])
      await callRedis(redis.url, 'SET', `{embedfarm}:${key}`, '<b>junk');
    const label = `<img src=x onerror=alert(1)>${ODD}`;
    // The submit may be refused, as what it is listed in is junk.
    await producer.requests.submit(['the'], request, { label }, { timeoutMs: 500 }).catch(() => undefined);
    await producer.encode(['the river'], request, {});
    const { status, body } = await eventually(async () => {
      const scrape = await get(url, '/metrics');
      return scrape.body.includes('outcome="done"} 1') ? scrape : undefined;
    });
    expect(status).toBe(200);
    expect(parsePrometheusText(body).get('farm_redis_up')?.samples[0]?.value).toBe(1);
    expect(body).not.toMatch(/river|alert|junk/u);
    expect((await get(url, '/healthz')).status).toBe(200);
    await producer.close();
    await worker.close();
    await redis.close();
  });
});

describe('the readiness of a worker', () => {
  it('is none before it is registered, though its devices have run: not while Redis is away', async () => {
    const redis = await openTestRedis();
    const model = await writeTinyModel(join(folder, 'waiting'), { maxSequenceLength: 32 });
    const cacheDir = join(folder, 'cache');
    await redis.kill();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const opening = openWorker({
      redis: redis.url,
      model,
      cacheDir,
      devices: 'cpu:1',
      calibrate: false,
      metricsPort: port,
    });
    const seen: string[] = [];
    const look = async (): Promise<number> => {
      const { status, body } = await get(url, '/readyz').catch(() => ({ status: 0, body: '{}' }));
      seen.push(`${status} ${(JSON.parse(body) as { reason?: string }).reason ?? ''}`);
      return status;
    };
    await eventually(async () => (await look()) === 503);
    await redis.restart();
    await eventually(async () => (await look()) === 200);
    const told = new Set(seen.filter((answer) => answer !== '0 '));
    expect(told.has('503 starting')).toBe(true);
    expect([...told].every((answer) => ['503 starting', '200 '].includes(answer))).toBe(true);
    await (await opening).close();
    await redis.close();
  });

  it('is gone with a device that is lost, until one has encoded again', async () => {
    const probes = new WorkerProbes();
    const watched = new WatchedEngine();
    probes.watch(RUNNING, watched.engine, REGISTRATION);
    expect(await probes.readiness()).toEqual({ ready: true });
    watched.runBatch();
    watched.devicesLost = 1;
    expect(await probes.readiness()).toMatchObject({ ready: false, reason: 'device_lost' });
    watched.runBatch();
    expect(await probes.readiness()).toEqual({ ready: true });
    watched.devicesLost = 3;
    expect(await probes.readiness()).toMatchObject({ ready: false, reason: 'device_lost' });
  });
});

function jobEnd(given: Partial<JobEnd>): JobEnd {
  return {
    requestId: 'r-1',
    chunkIndex: 0,
    lane: 'bulk',
    outcome: 'done',
    code: 'internal',
    texts: 2,
    tokens: 8,
    failures: [{ code: 'sequence_too_long', texts: 1 }],
    timing: { queueMs: 1, tokenizeMs: 1, batchWaitMs: 1, deviceMs: 4 },
    storeMs: 1,
    totalMs: 9,
    trace: undefined,
    isSuspect: false,
    ...given,
  };
}
