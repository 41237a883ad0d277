import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { openWorker, type WorkerOptions } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

let cacheDir = '';
let redis: TestRedis;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'embedfarm-pooling-'));
  redis = await openTestRedis();
}, 300_000);
afterAll(async () => {
  await redis.close();
  await rm(cacheDir, { recursive: true, force: true });
});

async function open(options: Partial<WorkerOptions>): ReturnType<typeof openWorker> {
  const worker = await openWorker({ redis: redis.url, devices: 'cpu:1', cacheDir, ...options });
  onTestFinished(() => worker.close());
  return worker;
}

describe('A worker', () => {
  it('that does not pool gives the rows of every token, to the promise of the producer', async () => {
    const { registration } = await open({ name: 'tokens', pooling: 'none', poolingLayers: [-1, -2] });
    expect(registration).toMatchObject({ pooling: 'none', dimensions: 256 });
    const farm = await EmbeddingFarm.connect({ redis: redis.url });
    onTestFinished(() => farm.close());
    const texts = ['First do it', 'right', 'then do it better than before'];
    const embeddings = await farm.encode(texts, { model: 'tokens', dimensions: 64 });
    expect(embeddings.dimensions).toBe(64);
    for (const [index, { tokens }] of embeddings.receipts.entries()) {
      expect(embeddings.rowsOf(index)).toBe(tokens);
      expect(embeddings.at(index).length).toBe(tokens * 64);
    }
    expect(new Set(embeddings.receipts.map(({ tokens }) => tokens)).size).toBe(3);
  });

  it('with the defaults of bert-as-service pools layer -2 of 25 tokens, not normalized', async () => {
    const { registration } = await open({ name: 'seed', bertAsServiceDefaults: true });
    const facts = { pooling: 'mean', maxSequenceLength: 25, normalize: false, dimensions: 128 };
    expect(registration).toMatchObject(facts);
    const asked = await open({ name: 'seed2', poolingLayers: [-2], maxSequenceLength: 25, normalize: false });
    expect(registration.fingerprint).toBe(asked.registration.fingerprint);
    const other = await open({ name: 'seed3', bertAsServiceDefaults: true, normalize: true, pooling: 'max' });
    expect(other.registration).toMatchObject({ ...facts, normalize: true, pooling: 'max' });
  });
});
