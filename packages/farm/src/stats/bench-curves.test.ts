import type { BenchCurve } from '@embedfarm/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestFarm } from '../testing/test-farm.ts';
import { readBenchCurves, storeBenchCurves } from './bench-curves.ts';

let farm: TestFarm;
beforeAll(async () => {
  farm = await TestFarm.open();
});
afterAll(() => farm.close());

const curve: BenchCurve = {
  curve: 'by-clients',
  shape: 'minilm',
  workload: 'uniform-40',
  workers: 1,
  devices: 'cpu',
  machine: 'a machine',
  commit: 'abc',
  measuredAt: '2026-01-01T00:00:00.000Z',
  points: [{ x: 1, textsPerSecond: 10, tokensPerSecond: 400 }],
};

it('keeps the newest curve of its terms, and leaves out what is none', async () => {
  const newer = { ...curve, commit: 'def' };
  const other = { ...curve, workers: 2 };
  await storeBenchCurves(farm.client, farm.keys, [curve]);
  await storeBenchCurves(farm.client, farm.keys, [newer, other]);
  await farm.client.hset(farm.keys.benchCurves, { a: 'no JSON', b: '{"curve":"by-moon"}' });
  const read = await readBenchCurves(farm.client, farm.keys);
  expect(read).toHaveLength(2);
  expect(read).toEqual(expect.arrayContaining([newer, other]));
});

it('does not read a hash that is none of ours', async () => {
  await farm.client.hset(farm.keys.benchCurves, { long: 'x'.repeat(10_000_000) });
  expect(await readBenchCurves(farm.client, farm.keys)).toHaveLength(2);
  const fields = Array.from({ length: 3_000 }, (_, index) => [`field ${index}`, 'x'] as const);
  await farm.client.hset(farm.keys.benchCurves, new Map(fields));
  await expect(readBenchCurves(farm.client, farm.keys)).rejects.toThrow(/2000 at most/);
});

it('names what is broken of a curve', async () => {
  const broken = { ...curve, points: [{ x: 0, textsPerSecond: 1, tokensPerSecond: 1 }] };
  await expect(storeBenchCurves(farm.client, farm.keys, [broken])).rejects.toThrow(/points/);
});
