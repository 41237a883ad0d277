import { describe, expect, it } from 'vitest';
import type { LoadResult } from './load-result.ts';
import type { MeasuredCase, Round } from './measure-case.ts';
import { reportMarkdown, type BenchReport } from './report.ts';
import { summarize } from './summary.ts';

describe('summarize', () => {
  it('compares within each round, then takes the median', () => {
    const summary = summarize(caseOf([round(100, 90), round(50, 50), round(200, 190)]));
    expect(summary.bulkRatio).toBeCloseTo(0.95);
    expect(summary.medians.engine.bulk.textsPerSecond).toBe(100);
    expect(summary.medians.sdk.bulk.textsPerSecond).toBe(90);
    expect(summary.singleAddedMs).toBeCloseTo(3);
    expect(summary.loopRatio).toBeCloseTo(0.5);
  });

  it('says of each target whether it is reached', () => {
    const { reach } = summarize(caseOf([round(100, 96)]));
    expect(reach.map(({ isReached }) => isReached)).toEqual([true, true, false, true, true]);
    expect(reach[2]).toMatchObject({ value: 0.5, atLeast: 0.7 });
  });

  it('promises nothing for a model that is all overhead', () => {
    expect(summarize({ ...caseOf([round(100, 20)]), shape: 'tiny' }).reach).toEqual([]);
  });
});

describe('reportMarkdown', () => {
  const markdown = reportMarkdown(reportOf([round(100, 96)]));

  it('names the machine, the versions, the commit and the command', () => {
    expect(markdown).toContain('Some CPU, 2 cores, 8 GiB. node 20.20.2, redis 7.0.15.');
    expect(markdown).toContain('Commit abc1234, 2026-01-02.');
    expect(markdown).toContain('`npm run bench`');
  });

  it('has a line for every target, with what was measured', () => {
    expect(markdown).toContain('| sdk ÷ engine, texts/s of calls with 2048 texts | 0.96 | ≥ 0.95 | yes |');
    expect(markdown).toContain('÷ bulk, texts/s through the sdk | 0.50 | ≥ 0.7 | **no** |');
  });

  it('gives engine and sdk side by side, always as texts/s and tokens/s', () => {
    expect(markdown).toContain(
      '| minilm | mix | 2048 | engine | 100 | 4000 | 200 | 78.1 % | 5.0 % | 99.0 % | 1.00 |',
    );
    expect(markdown).toContain(
      '| minilm | mix | 2048 | sdk | 96.0 | 3840 | 200 | 78.1 % | 5.0 % | 99.0 % | 0.96 |',
    );
  });

  it('has as many cells in every row as in its header', () => {
    const tables = markdown.split('\n\n').filter((block) => block.startsWith('|'));
    expect(tables).toHaveLength(6);
    for (const table of tables) {
      const cells = table
        .trim()
        .split('\n')
        .map((line) => line.split(' | ').length);
      expect(new Set(cells).size, table).toBe(1);
    }
  });

  it('warns of a quick run', () => {
    expect(markdown).not.toContain('quick run');
    expect(reportMarkdown({ ...reportOf([round(1, 1)]), quick: true })).toContain('Its numbers mean nothing');
  });
});

function reportOf(rounds: readonly Round[]): BenchReport {
  const measured = caseOf(rounds);
  return {
    machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 8 },
    versions: { node: '20.20.2', redis: '7.0.15' },
    commit: 'abc1234',
    command: 'npm run bench',
    date: '2026-01-02T03:04:05.678Z',
    quick: false,
    seed: 1,
    devices: 'cpu',
    summaries: [summarize(measured)],
    cases: [measured],
  };
}

function caseOf(rounds: readonly Round[]): MeasuredCase {
  const sizes = {
    bulkTexts: 2_048,
    singleCalls: 10,
    loop: { rampSeconds: 1, seconds: 4 },
    clientProcesses: 4,
    clientsPerProcess: 8,
    rounds: rounds.length,
  };
  return { shape: 'minilm', workload: 'mix', sizes, rounds };
}

/** The clients' loop is half as fast as bulk, and the farm takes 3 ms more for a text. */
function round(engineTextsPerSecond: number, sdkTextsPerSecond: number): Round {
  const single = (p50Ms: number) => ({ calls: 10, p50Ms, p95Ms: p50Ms * 2, p99Ms: p50Ms * 3 });
  return {
    engine: { bulk: load(engineTextsPerSecond, { engine: 2 }), single: single(5) },
    sdk: {
      bulk: load(sdkTextsPerSecond, FARM_CPU),
      single: single(8),
      loop: {
        ...load(sdkTextsPerSecond / 2, FARM_CPU),
        clients: 32,
        latency: single(60),
        perClient: { min: 1, median: 2, max: 3 },
      },
    },
  };
}

const FARM_CPU = { redis: 0.1, worker: 2, clients: 0.2 };

function load(textsPerSecond: number, cpuSeconds: Record<string, number>): LoadResult {
  return {
    seconds: 10,
    texts: textsPerSecond * 10,
    tokens: textsPerSecond * 400,
    textsPerSecond,
    tokensPerSecond: textsPerSecond * 40,
    cpuSeconds,
    loopDelay: { p50Ms: 0.1, p99Ms: 4, maxMs: 12 },
    work: { batches: 50, tokensPerBatch: 200, batchFill: 0.78125, paddingShare: 0.05, busyShare: 0.99 },
  };
}
