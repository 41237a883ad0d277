import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineReport } from './engine/engine-report.ts';
import type { QueueReport } from './queue/queue-report.ts';
import type { BenchReport } from './report.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [MAIN, ...args], { timeout: 300_000, cwd: tmpdir() });

describe('npm run bench', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'embedfarm-bench-test-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('puts engine and farm under every load, and writes what came out as JSON and as tables', async () => {
    const out = join(dir, 'out');
    const { stdout, stderr } = await run('--quick', '--devices', 'cpu:1', '--out', out, '--cache-dir', dir);
    const json = await readFile(join(out, 'farm.json'), 'utf8');
    const report = JSON.parse(json) as BenchReport;
    expect(await readFile(join(out, 'farm.md'), 'utf8')).toBe(stdout);
    expect(stdout).toContain('**A quick run');
    expect(stderr).toContain('tiny, uniform-40: round 2 of 2');

    expect(Object.keys(report.machine)).toEqual(['cpu', 'cores', 'memoryGiB']);
    expect(report.command).toBe('npm run bench -- --devices cpu:1 --quick');
    expect(report.versions['redis']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(report.versions['onnxruntime-node']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(report.cases.map(({ workload, rounds }) => [workload, rounds.length])).toEqual([
      ['mix', 2],
      ['uniform-40', 2],
    ]);
    for (const { rounds } of report.cases) {
      for (const { engine, sdk } of rounds) {
        expect(engine.bulk).toMatchObject({ texts: 300, tokens: sdk.bulk.tokens });
        for (const load of [engine.bulk, sdk.bulk, sdk.loop]) {
          expect(load.texts).toBeGreaterThan(0);
          expect(load.work.batches).toBeGreaterThan(0);
          expect(load.work.busyShare).toBeGreaterThan(0);
          expect(load.work.paddingShare).toBeLessThan(0.5);
          expect(Object.values(load.cpuSeconds).every((seconds) => seconds >= 0)).toBe(true);
        }
        expect(sdk.single.calls).toBe(4);
        expect(sdk.loop.clients).toBe(4);
        expect(sdk.loop.loopDelay.maxMs).toBeGreaterThanOrEqual(sdk.loop.loopDelay.p50Ms);
      }
    }
    for (const text of [json, stdout]) {
      expect(text).not.toContain(dir);
      expect(text).not.toContain(fileURLToPath(new URL('../../..', import.meta.url)));
    }
  });

  it('measures every section of the engine alone, and writes JSON, tables and plots', async () => {
    const out = join(dir, 'engine-out');
    const flags = `engine --quick --dtypes fp32 --devices cpu:1 --soak-minutes 0.1 --out ${out} --cache-dir ${dir}`;
    const { stdout, stderr } = await run(...flags.split(' '));
    const json = await readFile(join(out, 'engine.json'), 'utf8');
    const report = JSON.parse(json) as EngineReport;
    expect(await readFile(join(out, 'engine.md'), 'utf8')).toBe(stdout);
    expect(stdout).toContain('**A quick run');
    expect(stderr).toContain('tiny, mix: round 2 of 2');

    expect(report.speed.map(({ workload, ways }) => [workload, ways.map(({ key }) => key)])).toEqual([
      ['mix', ['embedfarm fp32']],
      ['uniform-40', ['embedfarm fp32']],
    ]);
    const [lengths] = report.lengths;
    expect(lengths?.points.map(({ at }) => at)).toEqual([16, 512]);
    expect(report.batches[0]?.points.map(({ at }) => at)).toEqual([1, 64]);
    expect(report.farm[0]?.points.map(({ at }) => at)).toEqual([1, 64]);
    expect(report.threads[0]?.ratio).toBeGreaterThan(0);
    expect(report.peak[0]?.share).toBeGreaterThan(0);
    expect(report.peak[0]?.peakGflops).toBeGreaterThan(0);
    const ofLinux = process.platform === 'linux' ? 1 : 0;
    expect(report.memory).toHaveLength(ofLinux);
    expect(report.soak).toHaveLength(ofLinux);
    for (const name of ['engine-lengths-tiny.svg', 'engine-batches-tiny.svg']) {
      expect(stdout).toContain(`](${name})`);
      expect(await readFile(join(out, name), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
    }
    for (const text of [json, stdout]) {
      expect(text).not.toContain(dir);
      expect(text).not.toContain(fileURLToPath(new URL('../../..', import.meta.url)));
    }
  }, 240_000);

  it('measures the way there and back with a timed device, and writes JSON, tables and plots', async () => {
    const out = join(dir, 'queue-out');
    const { stdout, stderr } = await run('queue', '--quick', '--out', out);
    const json = await readFile(join(out, 'queue.json'), 'utf8');
    const report = JSON.parse(json) as QueueReport;
    expect(await readFile(join(out, 'queue.md'), 'utf8')).toBe(stdout);
    expect(stdout).toContain('**A quick run');
    expect(stderr).toContain('2000 texts, together');

    expect(report.lanes?.loads.map(({ chunks, maxPauseMs }) => [chunks, maxPauseMs])).toEqual([
      [2, 20],
      [10, 20],
      [10, 0],
    ]);
    expect(report.fairness?.rounds[0]?.calls).toBeGreaterThan(0);
    for (const calls of [report.calls, report.ticks]) {
      expect(calls?.ratio).toBeGreaterThan(0);
      expect(Object.keys(calls?.farm.cpuSecondsPerThousand ?? {})).toEqual(['redis', 'worker', 'clients']);
      expect(calls?.curve.map(({ clients }) => clients)).toEqual([1, 2]);
    }
    expect(report.chunks?.texts).toBe(2_048);
    expect(report.corpus?.map(({ way }) => way)).toEqual(['phases', 'together', 'stream']);
    expect(report.reach).toHaveLength(11);
    for (const name of ['queue-lanes.svg', 'queue-calls.svg']) {
      expect(stdout).toContain(`](${name})`);
      expect(await readFile(join(out, name), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
    }
    for (const text of [json, stdout]) {
      expect(text).not.toContain(dir);
      expect(text).not.toContain(fileURLToPath(new URL('../../..', import.meta.url)));
    }
  }, 240_000);

  it('says what is wrong with a flag, and how it is used', async () => {
    await expect(run('engine', '--sections', 'colour')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/sections[\s\S]*--soak-minutes 0/),
    });
    await expect(run('queue', '--only', 'all')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/only[\s\S]*--texts 1000000/),
    });
    await expect(run('engin')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('engin') });
    await expect(run('--shapes', 'huge')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/shapes[\s\S]*--rounds 5/),
    });
  });
});
