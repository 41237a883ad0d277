import { describe, expect, it } from 'vitest';
import { seatLimits, windowTextsFor } from './seat-limits.ts';

describe('seatLimits', () => {
  it('gives a card more than a core', () => {
    expect(seatLimits('cpu', {})).toEqual({ slots: 2, tokenBudget: 256 });
    for (const card of ['cuda', 'webgpu'] as const) {
      expect(seatLimits(card, {}).tokenBudget).toBeGreaterThan(1_024);
    }
  });

  it('takes what was measured over the default, and what was said over both', () => {
    expect(seatLimits('cuda', {}, { tokenBudget: 16_384 }).tokenBudget).toBe(16_384);
    expect(seatLimits('cuda', { slots: 1, tokenBudget: 64 }, { tokenBudget: 16_384 })).toEqual({
      slots: 1,
      tokenBudget: 64,
    });
  });
});

describe('windowTextsFor', () => {
  it.each([
    [[], 256],
    [[256, 256], 256],
    [[256, 8_192], 512],
    [[32_768], 2_048],
    [[1_048_576, 16], 65_536],
  ])('sorts enough texts together for the budgets %j', (budgets, texts) => {
    expect(windowTextsFor(budgets)).toBe(texts);
  });
});
