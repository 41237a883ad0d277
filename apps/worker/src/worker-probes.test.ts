import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequestSchema, type ModelRegistration } from '@embedfarm/contract';
import type { Engine } from '@embedfarm/engine/engine';
import { Producer } from '@embedfarm/farm/producer';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerProbes } from './worker-probes.ts';
import { openWorker, type RunningWorker } from './worker.ts';

let redis: TestRedis;
let folder: string;
let model: string;
let worker: RunningWorker;

beforeAll(async () => {
  redis = await openTestRedis();
  folder = await mkdtemp(join(tmpdir(), 'embedfarm-probes-'));
  model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
  worker = await openWorker(options());
});
afterAll(async () => {
  await worker.close();
  await redis.close();
  await rm(folder, { recursive: true, force: true });
});

function options() {
  const cacheDir = join(folder, 'cache');
  return { redis: redis.url, model, cacheDir, devices: 'cpu:1', calibrate: false, metricsPort: 0 };
}

async function get(path: string, url = worker.metricsUrl ?? ''): Promise<{ status: number; body: string }> {
  const answer = await fetch(url + path, { signal: AbortSignal.timeout(10_000) });
  return { status: answer.status, body: await answer.text() };
}

describe('the probes of a worker', () => {
  it('count what it encodes, by lane', async () => {
    const producer = await Producer.open({ redis: redis.url });
    const request = (given: object) => encodeRequestSchema.parse({ model: 'tiny', ...given });
    await producer.encode(['the river', 'the', ''], request({}), {});
    await producer.encode(['the', 'the river'], request({ lane: 'bulk', cache: true }), {});
    await producer.close();
    const { body } = await eventually(async () => {
      const scrape = await get('/metrics');
      return scrape.body.includes('farm_jobs_total{lane="bulk",outcome="done"} 1') ? scrape : undefined;
    });
    for (const line of [
      'farm_texts_total{lane="interactive"} 3',
      'farm_texts_total{lane="bulk"} 2',
      'farm_queue_seconds_count{lane="interactive"} 1',
      'farm_device_seconds_count{lane="bulk"} 1',
      'farm_batch_texts_sum 5',
      'farm_cache_lookups_total 2',
      'farm_cache_hits_total 0',
      'farm_waiting_texts 0',
      'farm_held_jobs 0',
      'farm_redis_up 1',
    ]) {
      expect(body).toContain(`${line}\n`);
    }
    expect(body).toMatch(/^farm_device_busy_seconds_total\{device="cpu\/0"\} 0\.\d+/m);
    expect(body).toMatch(/^farm_build_info\{.*model="tiny",fingerprint="[^"]+",dtype="float32"\} 1$/m);
    expect(body).not.toContain('river');
  });

  it('is alive but not ready without its Redis, and ready when that is back', async () => {
    expect(await get('/readyz')).toEqual({ status: 200, body: '{"status":"ready"}' });
    await redis.kill();
    const { body } = await eventually(async () => {
      const answer = await get('/readyz');
      return answer.status === 503 ? answer : undefined;
    });
    expect(JSON.parse(body)).toMatchObject({ status: 'unready', reason: 'redis_unavailable' });
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    const scrape = await get('/metrics');
    expect(scrape).toMatchObject({ status: 200, body: expect.stringContaining('farm_redis_up 0\n') });
    expect(scrape.body).toContain('process_resident_memory_bytes');
    await redis.restart();
    await eventually(async () => (await get('/readyz')).status === 200);
  });

  it('are there before the worker is, and say why it is not', async () => {
    const probes = await WorkerProbes.open({ port: 0, host: '127.0.0.1' });
    const { status, body } = await get('/readyz', probes.url);
    expect([status, JSON.parse(body).reason]).toEqual([503, 'starting']);
    expect((await get('/metrics', probes.url)).status).toBe(200);
    await probes.close();
  });

  it('leave with a worker that does not start, and are none where no port is said', async () => {
    const { port } = new URL(worker.metricsUrl ?? '');
    const opening = openWorker({ ...options(), metricsPort: Number(port) });
    await expect(opening).rejects.toThrow(/the port is taken/u);
    const own = await openWorker({ ...options(), metricsPort: undefined });
    expect(own.metricsUrl).toBeUndefined();
    await own.close();
    await expect(openWorker({ ...options(), name: 'no name' })).rejects.toThrow(/name/u);
  });
});

it.each(['refused', 'draining', 'closed'] as const)('is unready while the worker is %s', async (state) => {
  const probes = new WorkerProbes();
  const registration = { model: 'a', fingerprint: 'b', dtype: 'float32' } as ModelRegistration;
  const engine = { deviceReports: () => [], onBatch: () => () => undefined } as Partial<Engine> as Engine;
  probes.watch({ state, heldJobs: 0, isRedisUp: async () => true }, engine, registration);
  expect(await probes.readiness()).toMatchObject({ ready: false, reason: state });
});
