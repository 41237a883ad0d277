import { expect, it } from 'vitest';
import { RecentRates } from './recent-rates.ts';

it('counts what was done in the last seconds, and forgets the rest', () => {
  let nowMs = 10_000;
  const rates = new RecentRates(() => nowMs);
  nowMs += 2_000;
  rates.add(10, 100, 1_000);
  expect(rates.read()).toEqual({ textsPerSecond: 5, tokensPerSecond: 50, busyShare: 0.5 });
  nowMs += 10_000;
  expect(rates.read()).toEqual({ textsPerSecond: 0, tokensPerSecond: 0, busyShare: 0 });
  rates.add(10, 100, 9_000);
  expect(rates.read().busyShare).toBe(1);
});
