import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequestSchema } from '@embedfarm/contract';
import { Producer } from '@embedfarm/farm/producer';
import { createLogger } from '@embedfarm/service/logger';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openWorker } from './worker.ts';

let redis: TestRedis;
let folder: string;
let written: string[];

beforeEach(async () => {
  redis = await openTestRedis();
  folder = await mkdtemp(join(tmpdir(), 'embedfarm-log-'));
  written = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => written.push(String(line)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await redis.close();
  await rm(folder, { recursive: true, force: true });
});

function linesOf(message: string): Record<string, unknown>[] {
  const lines = written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter(({ msg }) => msg === message);
}

it('has one line for a request of many chunks, from one of the workers that log, and no text', async () => {
  const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
  const common = {
    redis: redis.url,
    model,
    cacheDir: join(folder, 'cache'),
    devices: 'cpu:1',
    calibrate: false,
  };
  const workers = [
    await openWorker(common, { logger: createLogger({ name: 'worker', level: 'warn' }) }),
    await openWorker(common, { logger: createLogger({ name: 'worker' }) }),
    await openWorker(common, { logger: createLogger({ name: 'worker' }) }),
  ];
  const producer = await Producer.open({ redis: redis.url });
  const texts = Array.from({ length: 1_000 }, () => 'the river');
  const request = encodeRequestSchema.parse({ model: 'tiny' });
  const label = 'import\n{"level":60}';
  const { requestId } = await producer.requests.submit(texts, request, { label }, {});
  await producer.requests.wait(requestId, {});
  await eventually(() => linesOf('request').length > 0);
  await producer.close();
  for (const worker of workers) await worker.close();
  expect(linesOf('request')).toMatchObject([
    { requestId, label: 'import\u{FFFD}{"level":60}', lane: 'bulk', state: 'completed', chunks: 4 },
  ]);
  expect(linesOf('request')[0]).toMatchObject({ texts: 1_000, done: 1_000, failed: 0 });
  expect(linesOf('request')[0]?.['seconds']).toBeGreaterThan(0);
  expect(written.join('')).not.toContain('river');
});
