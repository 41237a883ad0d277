import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '@embedfarm/engine/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { percentile } from './percentile.ts';
import { BLOCK_TEXTS, sequenceLengths, WORKLOADS } from './sequence-lengths.ts';
import { workloadTexts } from './workload.ts';

describe('sequenceLengths', () => {
  const mix = sequenceLengths('mix', 2_048, 1);

  it('has a median near 24, a 99th percentile near 200, and nothing outside 3 to 512', () => {
    expect(percentile(mix, 0.5)).toBeGreaterThanOrEqual(23);
    expect(percentile(mix, 0.5)).toBeLessThanOrEqual(25);
    expect(percentile(mix, 0.99)).toBeGreaterThan(180);
    expect(percentile(mix, 0.99)).toBeLessThan(220);
    expect(Math.min(...mix)).toBeGreaterThanOrEqual(3);
    expect(Math.max(...mix)).toBeLessThanOrEqual(512);
    expect(mix.every(Number.isInteger)).toBe(true);
  });

  it('holds the whole distribution in every block, so that short and long loads cost the same a text', () => {
    for (let from = 0; from < mix.length; from += BLOCK_TEXTS) {
      const block = mix.slice(from, from + BLOCK_TEXTS);
      expect(Math.abs(percentile(block, 0.5) - 24)).toBeLessThanOrEqual(1);
      expect(Math.max(...block)).toBeGreaterThan(150);
    }
  });

  it('is the same for the same seed, and another for another', () => {
    expect(sequenceLengths('mix', 2_048, 1)).toEqual(mix);
    expect(sequenceLengths('mix', 2_048, 2)).not.toEqual(mix);
    expect(sequenceLengths('mix', 100, 1)).toEqual(mix.slice(0, 100));
  });

  it('gives 40 tokens to every text of uniform-40', () => {
    expect(new Set(sequenceLengths('uniform-40', 100, 1))).toEqual(new Set([40]));
  });
});

describe('workloadTexts', () => {
  let cacheDir: string;
  let engine: Engine;
  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'embedfarm-workload-'));
    engine = await Engine.open({ cacheDir, devices: 'cpu:1' });
  });
  afterAll(async () => {
    await engine.close();
    await rm(cacheDir, { recursive: true, force: true });
  });

  it.each(WORKLOADS)('gives every text of %s exactly the wanted tokens', async (name) => {
    const texts = workloadTexts({ name, texts: 128, seed: 7 });
    const { tokens, failures } = await engine.encode(texts);
    expect(failures).toEqual([]);
    expect(Array.from(tokens)).toEqual(sequenceLengths(name, 128, 7));
  });

  it('gives the same texts for the same seed, and other ones for another', () => {
    const texts = workloadTexts({ name: 'uniform-40', texts: 50, seed: 1 });
    expect(workloadTexts({ name: 'uniform-40', texts: 50, seed: 1 })).toEqual(texts);
    expect(workloadTexts({ name: 'uniform-40', texts: 50, seed: 2 })).not.toEqual(texts);
    expect(new Set(texts).size).toBe(50);
  });
});
