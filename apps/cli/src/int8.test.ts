import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeWeights } from '@embedfarm/testkit/write-weights';
import { openWorker, type WorkerOptions } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('../bin/embedfarm.js', import.meta.url));

let directory = '';
let weights = '';
let redis: TestRedis;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-int8-'));
  weights = await writeWeights(join(directory, 'weights'));
  redis = await openTestRedis();
}, 300_000);
afterAll(async () => {
  await redis.close();
  await rm(directory, { recursive: true, force: true });
});

async function encode(options: Partial<WorkerOptions> & { name: string }): Promise<Float32Array[]> {
  const cacheDir = join(directory, 'cache');
  const worker = await openWorker({ redis: redis.url, devices: 'cpu:1', cacheDir, ...options });
  const farm = await EmbeddingFarm.connect({ redis: redis.url });
  try {
    return [...(await farm.encode(['First do it', 'then do it right'], { model: options.name }))];
  } finally {
    await farm.close();
    await worker.close();
  }
}

it('a directory that convert wrote in int8, and weights with --dtype int8, give the farm the same vectors', async () => {
  const out = join(directory, 'out');
  const { stdout } = await promisify(execFile)(process.execPath, [
    COMMAND,
    'convert',
    weights,
    out,
    '--dtype',
    'int8',
  ]);
  expect(stdout).toMatch(
    /int8: cosine to float32 [01]\.\d{4} at worst, [01]\.\d{4} on average, over 34 texts\n$/,
  );
  const converted = await encode({ name: 'converted', model: out });
  expect(converted).toEqual(await encode({ name: 'by-itself', model: weights, dtype: 'int8' }));
  const float32 = await encode({ name: 'float32', model: weights });
  expect(converted).not.toEqual(float32);
});
