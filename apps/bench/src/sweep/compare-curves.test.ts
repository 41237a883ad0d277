import { expect, it } from 'vitest';
import { compareCurves } from './compare-curves.ts';
import { curveOf, lineOf } from './curve.fixture.ts';

const before = curveOf({ points: lineOf('a', [100, 200]) });

it('gives the ratio of each point that was measured both times', () => {
  const now = curveOf({ points: lineOf('a', [110, 100, 300]) });
  expect(compareCurves(now, [before])).toEqual({
    date: '2026-01-01T00:00:00.000Z',
    commit: 'abc1234',
    differences: [],
    ratios: [
      { series: 'a', x: 1, ratio: 1.1 },
      { series: 'a', x: 2, ratio: 0.5 },
    ],
  });
});

it('says what else is not as it was', () => {
  const { setting } = before;
  const now = curveOf({
    seed: 2,
    setting: {
      ...setting,
      machine: { ...setting.machine, cores: 8 },
      versions: { node: '20.11.0', redis: '8.0.0', bullmq: '6.7.0' },
    },
  });
  expect(compareCurves(now, [before])?.differences).toEqual([
    'cores was 2, is 8',
    'redis was 7.0.15, is 8.0.0',
    'seed was 1, is 2',
    'bullmq was not there, is 6.7.0',
  ]);
});

it.each([{ workers: 2 }, { devices: 'cpu:1' }, { shape: 'base' }, { workload: 'mix' }] as const)(
  'compares with nothing that was measured under other terms: %j',
  (other) => {
    expect(compareCurves(curveOf(other), [before])).toBeUndefined();
  },
);
