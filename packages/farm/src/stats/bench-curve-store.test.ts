import type { BenchCurve } from '@embedfarm/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestFarm } from '../testing/test-farm.ts';
import { BenchCurveStore } from './bench-curve-store.ts';

let farm: TestFarm;
beforeAll(async () => {
  farm = await TestFarm.open();
});
afterAll(() => farm.close());

const curve: BenchCurve = {
  curve: 'by-length',
  shape: 'base',
  workload: 'uniform-40',
  workers: 1,
  devices: 'cpu',
  machine: 'a machine',
  commit: 'abc',
  measuredAt: '2026-01-01T00:00:00.000Z',
  points: [{ x: 20, textsPerSecond: 10, tokensPerSecond: 200 }],
};

it('gives another process the curves that one has put', async () => {
  const terms = { redis: farm.redis.url, prefix: farm.keys.prefix };
  const store = await BenchCurveStore.open(terms);
  await store.put([curve]);
  store.close();
  const other = await BenchCurveStore.open(terms);
  expect(await other.read()).toEqual([curve]);
  other.close();
});

it('says that Redis does not answer', async () => {
  await expect(BenchCurveStore.open({ redis: 'redis://127.0.0.1:1', timeoutMs: 200 })).rejects.toMatchObject({
    code: 'redis_unavailable',
  });
});
