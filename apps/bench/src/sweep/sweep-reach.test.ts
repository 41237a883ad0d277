import { expect, it } from 'vitest';
import { BASELINE, WITH_BOARD, WITHOUT_BOARD } from './board-cost.ts';
import { BULK, ONE_TEXT } from './by-clients.ts';
import { curveOf, lineOf, loadAt } from './curve.fixture.ts';
import { sweepReach } from './sweep-reach.ts';

const rates = [50, 90, 160, 180, 190, 170, 150, 152];
const bulk = { series: BULK, x: 1, rounds: [loadAt(200)] };

it('sets 32 clients beside the bulk call, by what the model is to reach', () => {
  const points = [...lineOf(ONE_TEXT, rates), bulk];
  expect(sweepReach(curveOf({ points }))[0]).toMatchObject({ value: 0.85, atLeast: 0.8, isReached: true });
  const [base] = sweepReach(curveOf({ points, shape: 'base' }));
  expect(base).toMatchObject({ value: 0.85, atLeast: 0.9, isReached: false });
});

it('finds the worst step, and promises nothing of a model that is not known', () => {
  const reach = sweepReach(curveOf({ shape: 'mine', points: [...lineOf(ONE_TEXT, rates), bulk] }));
  expect(reach).toHaveLength(1);
  expect(reach[0]?.what).toContain('(32 → 64)');
  expect(reach[0]?.value).toBeCloseTo(150 / 170);
  expect(reach[0]?.isReached).toBe(false);
});

it('takes ratios within a round, and their median', () => {
  const point = (x: number, series: string, ...loads: number[]) => ({
    x,
    series,
    rounds: loads.map((one) => loadAt(one)),
  });
  const points = [point(32, ONE_TEXT, 100, 90, 10), point(1, BULK, 200, 100, 100)];
  expect(sweepReach(curveOf({ points }))[0]?.value).toBe(0.5);
});

it('counts as the cost of a dashboard its own CPU and what Redis takes more', () => {
  const without = loadAt(100, { redis: 0.1, worker: 1.6, clients: 0.3 });
  const points = [
    { series: WITHOUT_BOARD, x: 1, rounds: [without] },
    {
      series: WITH_BOARD,
      x: 1,
      rounds: [loadAt(200, { redis: 0.22, worker: 3.9, clients: 0.6, dashboard: 0.04 })],
    },
    { series: BASELINE, x: 1, rounds: [loadAt(100, { redis: 0.1, worker: 1.5, clients: 0.4 })] },
  ];
  const [board, stats] = sweepReach(curveOf({ bench: 'board-cost', points }));
  // 0.02 + 0.01 seconds of 2 for the same hundred texts.
  expect(board?.value).toBeCloseTo(1.5);
  expect(board?.isReached).toBe(true);
  expect(stats?.value).toBeCloseTo(6.25);
  expect(stats?.isReached).toBe(false);
});
