import { describe, expect, it } from 'vitest';
import { enginePlots } from './engine-plots.ts';
import { engineMarkdown, type EngineMeasurements, type EngineReport } from './engine-report.ts';
import { engineReach } from './engine-targets.ts';
import type { Rates } from './rates.ts';

const MIB = 2 ** 20;

const rates = (key: string, group: string, callTexts: number, all: number[], isLeftOut = false): Rates => ({
  key,
  group,
  callTexts,
  texts: 1_024,
  rates: all,
  isLeftOut,
});

const measurements: EngineMeasurements = {
  agreements: [
    {
      shape: 'minilm',
      contender: 'transformers.js fp32',
      texts: 64,
      minCosine: 0.99999996,
      meanCosine: 1,
      maxDifference: 1.5e-7,
    },
  ],
  speed: [
    {
      shape: 'minilm',
      workload: 'mix',
      tokensPerText: 36.6,
      ways: [
        rates('embedfarm fp32', 'embedfarm fp32', 1_024, [400, 410, 390]),
        rates('transformers.js fp32 b1', 'transformers.js fp32', 1, [180, 190, 170]),
        rates('transformers.js fp32 b32', 'transformers.js fp32', 32, [60], true),
        rates('embedfarm int8', 'embedfarm int8', 1_024, [700, 710, 690]),
      ],
      ratios: [
        { dtype: 'fp32', against: 'transformers.js fp32', callTexts: 1, value: 2.2 },
        { dtype: 'int8', against: 'transformers.js fp32', callTexts: 1, value: 3.9 },
        { dtype: 'int8', against: 'embedfarm fp32', callTexts: 1_024, value: 1.75 },
        { dtype: 'int8', against: 'transformers.js q8', callTexts: 1, value: 1.7 },
      ],
    },
  ],
  lengths: [curve('embedfarm fp32', 900), curve('transformers.js fp32', 700)],
  batches: [],
  farm: [],
  threads: [
    {
      shape: 'minilm',
      ways: [rates('cpu:1', 'cpu:1', 64, [200]), rates('cpu:2', 'cpu:2', 64, [380])],
      ratio: 1.9,
    },
  ],
  peak: [
    {
      shape: 'minilm',
      threads: 2,
      matrices: { rows: 256, inner: 768, outer: 3_072 },
      peakGflops: 400,
      usefulGflops: 270,
      share: 0.675,
    },
  ],
  memory: [
    {
      shape: 'base',
      one: { residentBytes: 900 * MIB, anonymousBytes: 200 * MIB, proportionalBytes: 850 * MIB },
      added: { residentBytes: 800 * MIB, anonymousBytes: 60 * MIB, proportionalBytes: 60 * MIB },
    },
  ],
  soak: [],
};

describe('engineReach', () => {
  const reach = engineReach(measurements);

  it('judges what the issue asks for, on the model and the workload that it asks of', () => {
    expect(reach.map(({ shape, what, isReached }) => [shape, what, isReached])).toEqual([
      ['minilm', 'embedfarm fp32 ÷ transformers.js fp32, texts/s', true],
      ['minilm', 'embedfarm int8 ÷ transformers.js fp32, texts/s', false],
      ['minilm', 'embedfarm int8 ÷ transformers.js q8, texts/s', true],
      ['minilm', 'two devices ÷ one, texts/s, fp32', true],
      ['minilm', 'useful FLOPs ÷ the machine’s fastest MatMul, fp32', true],
      ['base', 'MiB that a second device adds, fp32', false],
    ]);
  });

  it('asks less of uniform lengths, nothing of int8 there, and nothing of tiny', () => {
    const [mix] = measurements.speed;
    if (mix === undefined) throw new Error('no speed');
    const limitsOf = (changed: object) =>
      engineReach({
        ...measurements,
        speed: [{ ...mix, ...changed }],
        threads: [],
        peak: [],
        memory: [],
      }).map(({ atLeast }) => atLeast);
    expect(limitsOf({ workload: 'uniform-40' })).toEqual([1.1]);
    expect(limitsOf({ shape: 'base' })).toEqual([1.5, 4, 1.6]);
    expect(limitsOf({ shape: 'tiny' })).toEqual([]);
  });

  it('takes no target for reached whose number could not be measured', () => {
    const soak = [
      {
        shape: 'base' as const,
        minutes: 1,
        texts: 9,
        samples: [],
        slopeMibPerHour: Number.NaN,
        riseMib: Number.NaN,
      },
    ];
    expect(engineReach({ ...measurements, soak }).at(-1)?.isReached).toBe(false);
  });
});

describe('engineMarkdown', () => {
  const plots = enginePlots(measurements);
  const markdown = engineMarkdown(reportOf(measurements), plots);

  it('has a line for every target, with what was measured', () => {
    expect(markdown).toContain(
      '| minilm | mix | embedfarm fp32 ÷ transformers.js fp32, texts/s | 2.20 | ≥ 2 | yes |',
    );
    expect(markdown).toContain('| base | mix | MiB that a second device adds, fp32 | 60.0 | ≤ 50 | **no** |');
  });

  it('gives all batch sizes of transformers.js, and sets our engine beside the best of them', () => {
    expect(markdown).toContain('| minilm | mix | embedfarm fp32 | 400 | 14640 | – |');
    expect(markdown).toContain('| minilm | mix | transformers.js fp32 b1 | 180 | 6588 | 2.20 |');
    expect(markdown).toContain('| minilm | mix | transformers.js fp32 b32 (warm-up) | 60.0 | 2196 | – |');
  });

  it('shows every plot, and its numbers', () => {
    expect(plots.map(({ file }) => file)).toEqual(['engine-lengths-minilm.svg']);
    expect(markdown).toContain('](engine-lengths-minilm.svg)');
    expect(markdown).toContain('| minilm | tokens a text | embedfarm fp32 | 16: 900, 512: 28.1 |');
  });

  it('names the machine, the versions, the commit and the command; leaves out what was not measured', () => {
    expect(markdown).toContain('Some CPU, 2 cores, 8 GiB. node 20.20.2, transformers.js 4.3.1.');
    expect(markdown).toContain('`npm run bench -- engine`');
    expect(markdown).not.toContain('## Memory over time');
  });

  it('has as many cells in every row as in its header', () => {
    const tables = markdown.split('\n\n').filter((block) => block.startsWith('|'));
    expect(tables).toHaveLength(7);
    for (const table of tables) {
      const cells = table
        .trim()
        .split('\n')
        .map((line) => line.split(' | ').length);
      expect(new Set(cells).size, table).toBe(1);
    }
  });
});

function curve(group: string, first: number) {
  const points = [16, 512].map((at) => ({ at, textsPerSecond: (first * 16) / at, callTexts: 8 }));
  return { shape: 'minilm' as const, group, points };
}

function reportOf(measured: EngineMeasurements): EngineReport {
  return {
    machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 8 },
    versions: { node: '20.20.2', 'transformers.js': '4.3.1' },
    commit: 'abc1234',
    command: 'npm run bench -- engine',
    date: '2026-01-02T03:04:05.678Z',
    quick: false,
    seed: 1,
    devices: 'cpu',
    rounds: 3,
    minutes: 12,
    reach: engineReach(measured),
    ...measured,
  };
}
