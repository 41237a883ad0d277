import { describe, expect, it } from 'vitest';
import { addPoints, chooseBudget, type BudgetPoint } from './choose-budget.ts';

const CORE = { standard: 256, minGain: 0.05, minRuns: 3 };
const CARD = { standard: 8_192, minGain: 0, minRuns: 1 };

const points = (speeds: Record<number, number>, runs = 3): BudgetPoint[] =>
  Object.entries(speeds).map(([budget, tokensPerSecond]) => ({
    tokenBudget: Number(budget),
    tokensPerSecond,
    runs,
  }));

describe('chooseBudget', () => {
  it.each([
    ['flat', { 128: 990, 256: 1_000, 384: 1_010, 512: 995 }, 256],
    ['better by the noise of a shared machine', { 128: 1_000, 256: 1_000, 384: 1_049, 512: 1_040 }, 256],
    ['clearly better with less', { 128: 1_100, 256: 1_000, 384: 900, 512: 800 }, 128],
    ['clearly better with more', { 128: 700, 256: 1_000, 384: 1_090, 512: 1_100 }, 384],
    ['worse than the standard everywhere', { 128: 500, 256: 1_000, 384: 900, 512: 800 }, 256],
  ])('for a core that is %s takes %j → %i', (_, speeds, budget) => {
    expect(chooseBudget(points(speeds), CORE).tokenBudget).toBe(budget);
  });

  it.each([
    ['the smallest that is nearly the fastest', { 2_048: 80, 4_096: 98, 8_192: 99, 16_384: 100 }, 4_096],
    ['the fastest where each is faster', { 2_048: 50, 4_096: 70, 8_192: 85, 16_384: 100 }, 16_384],
    ['the standard where it is the fastest', { 4_096: 90, 8_192: 100, 16_384: 100 }, 8_192],
    ['the fastest where the standard did not run', { 512: 50, 1_024: 80 }, 1_024],
  ])('for a card takes %s', (_, speeds, budget) => {
    expect(chooseBudget(points(speeds, 1), CARD).tokenBudget).toBe(budget);
  });

  it('does not leave the standard for points of too few runs', () => {
    const few = [...points({ 256: 1_000 }), ...points({ 512: 2_000 }, 2)];
    expect(chooseBudget(few, CORE)).toEqual({ tokenBudget: 256, tokensPerSecond: 1_000 });
  });

  it('says how fast the budget was, and nothing where nothing was measured', () => {
    expect(chooseBudget(points({ 256: 1_000, 512: 1_200 }), CORE)).toEqual({
      tokenBudget: 512,
      tokensPerSecond: 1_200,
    });
    expect(chooseBudget([], CORE)).toEqual({ tokenBudget: 256 });
  });
});

describe('addPoints', () => {
  it('adds the speeds of cores, with the runs of the one that has fewest', () => {
    expect(addPoints([points({ 128: 10, 256: 20 }, 3), points({ 128: 11, 256: 19 }, 2)])).toEqual(
      points({ 128: 21, 256: 39 }, 2),
    );
  });

  it('leaves out a budget that one of them did not run', () => {
    expect(addPoints([points({ 128: 10, 256: 20 }), points({ 256: 20 })])).toEqual(points({ 256: 40 }));
    expect(addPoints([])).toEqual([]);
  });
});
