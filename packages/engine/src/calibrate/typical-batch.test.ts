import { describe, expect, it } from 'vitest';
import { typicalBatch } from './typical-batch.ts';

const of = (tokenBudget: number, given: { graph?: 'padded'; maxSequenceLength?: number } = {}) =>
  typicalBatch({ tokenBudget, graph: 'packed', maxSequenceLength: 512, tokenId: 7, ...given });

describe('typicalBatch', () => {
  it.each([128, 256, 512, 4_096, 32_768])('fills most of a budget of %i, and not more', (budget) => {
    const { ids } = of(budget);
    expect(ids.length).toBeLessThanOrEqual(budget);
    expect(ids.length).toBeGreaterThan(budget * 0.6);
  });

  it('has rows of the length in which half of all tokens are', () => {
    const { lengths, ids } = of(512);
    const mean = ids.length / lengths.length;
    expect(mean).toBeGreaterThan(36);
    expect(mean).toBeLessThan(70);
    expect(ids.every((id) => id === 7)).toBe(true);
  });

  it('counts padding where the graph pads, and cuts what the model does not take', () => {
    const { lengths } = of(1_024, { graph: 'padded' });
    expect(lengths.length * Math.max(...lengths)).toBeLessThanOrEqual(1_024);
    expect(Math.max(...of(8_192, { maxSequenceLength: 32 }).lengths)).toBe(32);
  });
});
