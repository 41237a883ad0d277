import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addRow,
  EMPTY_BATCH,
  planBatch,
  splitBudget,
  type BatchLimits,
  type BatchShape,
} from './plan-batch.ts';

const packed = (tokenBudget: number): BatchLimits => ({ tokenBudget, graph: 'packed' });
const padded = (tokenBudget: number): BatchLimits => ({ tokenBudget, graph: 'padded' });
const shapeOf = (lengths: readonly number[], begun: BatchShape = EMPTY_BATCH): BatchShape =>
  lengths.reduce(addRow, begun);

const lengthsArbitrary = fc.array(fc.integer({ min: 2, max: 512 }), { maxLength: 300 });
const limitsArbitrary = fc.record({
  tokenBudget: fc.integer({ min: 1, max: 2_000 }),
  graph: fc.constantFrom('packed' as const, 'padded' as const),
});

describe('planBatch', () => {
  it('counts real tokens for a packed graph', () => {
    expect(planBatch([10, 10, 10, 10], packed(30))).toBe(3);
  });

  it('counts rows × longest for a padded graph', () => {
    expect(planBatch([2, 2, 10, 10], padded(30))).toBe(3);
    expect(planBatch([2, 2, 10, 10], padded(29))).toBe(2);
  });

  it('lets a packed batch pad its attention to twice its tokens at most', () => {
    expect(planBatch([5, 200], packed(1_000))).toBe(2);
    expect(planBatch([5, 5, 5, 200], packed(1_000))).toBe(3);
  });

  it('takes the first row whatever it costs', () => {
    expect(planBatch([512, 2], packed(256))).toBe(1);
    expect(planBatch([512, 2], padded(256))).toBe(1);
  });

  it('takes nothing where nothing waits, and nothing into a batch that is full', () => {
    expect(planBatch([], packed(256))).toBe(0);
    expect(planBatch([10], packed(30), shapeOf([10, 10, 10]))).toBe(0);
    expect(planBatch([10, 10], packed(30), shapeOf([10]))).toBe(2);
  });

  it('never exceeds its limits, but for a first row', () => {
    fc.assert(
      fc.property(lengthsArbitrary, limitsArbitrary, (lengths, limits) => {
        const { rows, tokens, longest } = shapeOf(lengths.slice(0, planBatch(lengths, limits)));
        const isInLimits =
          limits.graph === 'padded'
            ? rows * longest <= limits.tokenBudget
            : tokens <= limits.tokenBudget && rows * longest <= 2 * tokens;
        expect(rows <= 1 || isInLimits).toBe(true);
      }),
    );
  });

  it('stops only where one more row would exceed them', () => {
    fc.assert(
      fc.property(lengthsArbitrary, limitsArbitrary, (lengths, limits) => {
        const count = planBatch(lengths, limits);
        expect(count).toBeGreaterThanOrEqual(Math.min(1, lengths.length));
        const next = lengths[count];
        if (next === undefined) return;
        expect(planBatch([next], limits, shapeOf(lengths.slice(0, count)))).toBe(0);
      }),
    );
  });

  it('plans the same in one step and in two', () => {
    fc.assert(
      fc.property(lengthsArbitrary, limitsArbitrary, fc.nat(300), (lengths, limits, at) => {
        const whole = planBatch(lengths, limits);
        const cut = Math.min(at, whole);
        const rest = planBatch(lengths.slice(cut), limits, shapeOf(lengths.slice(0, cut)));
        expect(cut + rest).toBe(whole);
      }),
    );
  });
});

describe('splitBudget', () => {
  it('shares little work evenly over the idle devices', () => {
    expect(splitBudget(256, 240, 2)).toBe(120);
    expect(splitBudget(256, 241, 2)).toBe(121);
  });

  it('splits into no fewer than 64 tokens', () => {
    expect(splitBudget(256, 80, 4)).toBe(64);
  });

  it('keeps the budget where there is enough work, or no idle device', () => {
    expect(splitBudget(256, 10_000, 2)).toBe(256);
    expect(splitBudget(256, 10_000, 0)).toBe(256);
    expect(splitBudget(32, 10, 2)).toBe(32);
  });
});
