import { describe, expect, it } from 'vitest';
import { measuredTexts, warmUpTexts } from './interleave.ts';
import { bestOf, ratioOf, worthMeasuring, type Rates } from './rates.ts';

const way = (key: string, rates: number[], isLeftOut = false): Rates => ({
  key,
  group: key.split(' ')[0] ?? '',
  callTexts: Number(key.split(' ')[1]),
  texts: 64,
  rates,
  isLeftOut,
});

describe('ratioOf', () => {
  it('sets ours beside the best of theirs within each round, then takes the median', () => {
    const all = [
      way('ours 64', [100, 200, 90]),
      way('theirs 1', [50, 60, 30]),
      way('theirs 8', [40, 100, 20]),
    ];
    expect(ratioOf(all, 'ours', 'theirs')).toBe(2);
  });

  it('takes no number of a warm-up', () => {
    const all = [way('ours 64', [100, 100]), way('theirs 1', [50, 50]), way('theirs 8', [999], true)];
    expect(ratioOf(all, 'ours', 'theirs')).toBe(2);
  });

  it('is no number where a side is missing', () => {
    expect(ratioOf([way('ours 64', [100])], 'ours', 'theirs')).toBeNaN();
    expect(ratioOf([way('theirs 1', [100])], 'ours', 'theirs')).toBeNaN();
  });
});

describe('bestOf', () => {
  it('goes by the median', () => {
    const all = [way('theirs 1', [10, 10, 99]), way('theirs 8', [20, 20, 20]), way('ours 1', [500])];
    expect(bestOf(all, 'theirs')?.callTexts).toBe(8);
    expect(bestOf(all, 'nobody')).toBeUndefined();
  });
});

describe('worthMeasuring', () => {
  it('leaves out what is far behind the best of its own group alone', () => {
    const rates = [
      { group: 'theirs', rate: 100 },
      { group: 'theirs', rate: 80 },
      { group: 'theirs', rate: 40 },
      { group: 'ours', rate: 10 },
    ];
    expect(worthMeasuring(rates)).toEqual([true, true, false, true]);
  });
});

describe('measuredTexts', () => {
  it('is whole blocks of the mix, whole calls elsewhere, and one at least', () => {
    expect(measuredTexts('mix', undefined, 1_000)).toBe(1_024);
    expect(measuredTexts('mix', 8, 1)).toBe(64);
    expect(measuredTexts('uniform-40', 32, 100)).toBe(96);
    expect(measuredTexts('uniform-40', 4_096, 100)).toBe(4_096);
    expect(measuredTexts('uniform-40', 1, 1e9)).toBe(8_192);
  });

  it('warms up with some tokens, whatever their texts are', () => {
    expect(warmUpTexts('mix')).toBe(64);
    expect(warmUpTexts('uniform-40', 8)).toBe(32);
    expect(warmUpTexts('uniform-512', 1)).toBe(3);
    expect(warmUpTexts('uniform-40', 4_096)).toBe(256);
  });
});
