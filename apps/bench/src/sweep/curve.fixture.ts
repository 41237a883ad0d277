import type { PointLoad, SweepCurve } from './sweep-curve.ts';

/** A load of one second at so many texts/s. */
export function loadAt(textsPerSecond: number, cpuSeconds: Record<string, number> = {}): PointLoad {
  return {
    seconds: 1,
    texts: textsPerSecond,
    tokens: textsPerSecond * 40,
    textsPerSecond,
    tokensPerSecond: textsPerSecond * 40,
    cpuSeconds,
    perClient: { min: 1, median: 2, max: 3 },
  };
}

/** A measured curve, as far as a test says. */
export function curveOf(given: Partial<SweepCurve>): SweepCurve {
  return {
    bench: 'by-clients',
    shape: 'minilm',
    workload: 'uniform-40',
    workers: 1,
    devices: 'cpu',
    seed: 1,
    rounds: 1,
    quick: false,
    minutes: 2,
    setting: {
      machine: { cpu: 'AMD EPYC', cores: 2, memoryGiB: 24 },
      versions: { node: '20.11.0', redis: '7.0.15' },
      commit: 'abc1234',
      command: 'npm run bench -- by-clients',
      date: '2026-01-01T00:00:00.000Z',
    },
    notes: [],
    points: [],
    ...given,
  };
}

/** Points of a line at x = 1, 2, 4 and so on, one round each. */
export function lineOf(series: string, rates: readonly number[]): SweepCurve['points'] {
  return rates.map((rate, index) => ({ series, x: 2 ** index, rounds: [loadAt(rate)] }));
}
