import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BenchCurveStore } from '@embedfarm/farm/bench-curves';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSweepReport } from './read-sweep-report.ts';
import type { SweepReport } from './sweep-curve.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

let dir: string;
let redis: TestRedis;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'embedfarm-sweep-test-'));
  redis = await openTestRedis();
});
afterAll(async () => {
  await redis.close();
  await rm(dir, { recursive: true, force: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args, '--cache-dir', dir], { cwd: tmpdir() });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (piece) => (output.stdout += String(piece)));
  child.stderr.on('data', (piece) => (output.stderr += String(piece)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  return { child, ended };
}

describe('npm run bench -- by-clients', () => {
  it('measures through a farm, writes tables and plots, and stores the curve for the page', async () => {
    const out = join(dir, 'out');
    const flags = ['by-clients', '--quick', '--redis', redis.url, '--out', out];
    const { code, stdout, stderr } = await start(...flags).ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(await readFile(join(out, 'by-clients.md'), 'utf8'));
    expect(await readdir(out)).toEqual(
      expect.arrayContaining(['by-clients.json', 'by-clients-tiny.svg', 'bert-as-service.md']),
    );

    const report = JSON.parse(await readFile(join(out, 'by-clients.json'), 'utf8')) as SweepReport;
    const [curve] = report.curves;
    expect(curve?.points.map(({ series, x }) => [series, x])).toEqual([
      ['one text a call', 1],
      ['8 texts a call', 1],
      ['one text a call', 2],
      ['8 texts a call', 2],
      ['one bulk call', 1],
      ['one text a call', 3],
      ['8 texts a call', 3],
    ]);
    for (const { rounds } of curve?.points ?? []) {
      expect(rounds).toHaveLength(1);
      for (const load of rounds) {
        expect(load.texts).toBeGreaterThan(0);
        // Each text has 40 tokens, however it travels.
        expect(load.tokens).toBe(load.texts * 40);
        expect(load.work?.batches).toBeGreaterThan(0);
        expect(Object.keys(load.cpuSeconds)).toEqual(['redis', 'worker', 'clients']);
      }
    }
    expect(stderr).toContain('round 1 of 1, one text a call at 3 (6 of 7)');

    const store = await BenchCurveStore.open({ redis: redis.url });
    const [stored] = await store.read();
    store.close();
    expect(stored).toMatchObject({ curve: 'by-clients', shape: 'tiny', workload: 'uniform-40', workers: 1 });
    expect(stored?.points.map(({ x }) => x)).toEqual([1, 2, 3]);
    const measured = curve?.points.find(({ series, x }) => series === 'one text a call' && x === 2);
    expect(stored?.points[1]?.textsPerSecond).toBeCloseTo(measured?.rounds[0]?.textsPerSecond ?? 0, 2);

    // The same once more: not measured again, and the report is as it was.
    const again = await start(...flags, '--resume').ended;
    expect(again.stderr).toContain('is there already');
    expect(again.stdout).toBe(stdout);

    for (const text of [JSON.stringify(report), stdout]) {
      expect(text).not.toContain(dir);
      expect(text).not.toContain(redis.url);
    }
  });

  it('leaves nothing running when it is told to stop', async () => {
    const { child, ended } = start('by-clients', '--quick', '--seconds', '60', '--out', join(dir, 'stopped'));
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes('warm-up')) break;
    }
    child.kill('SIGINT');
    // Its processes share its stderr: `close` comes when the last of them is gone.
    const { code } = await ended;
    expect(code).toBe(1);
    expect(await readSweepReport(join(dir, 'stopped'), 'by-clients', () => undefined)).toEqual({
      bench: 'by-clients',
      curves: [],
    });
  });

  it('says what is wrong with a flag, and how it is used', async () => {
    const { code, stderr } = await start('by-batch', '--workload', 'poems').ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/workload[\s\S]*--store-in URL/);
  });
});
