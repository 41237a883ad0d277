import { describe, expect, it } from 'vitest';
import { HISTORY_SECONDS, mergeHistory, secondsToRead } from './history.ts';
import { statsPoint } from './testing/fake-farm-view.ts';

const seconds = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => statsPoint(from + index));

describe('mergeHistory', () => {
  it('puts fresh seconds over known ones', () => {
    const merged = mergeHistory(seconds(1, 10), [statsPoint(9, { texts: 7 }), ...seconds(10, 11)]);
    expect(merged.map(({ second }) => second)).toEqual(seconds(1, 11).map(({ second }) => second));
    expect(merged[8]?.texts).toBe(7);
  });

  it('keeps an hour', () => {
    const merged = mergeHistory(seconds(1, HISTORY_SECONDS), seconds(HISTORY_SECONDS, HISTORY_SECONDS + 2));
    expect(merged).toHaveLength(HISTORY_SECONDS);
    expect(merged[0]?.second).toBe(3);
  });

  it('believes a clock that was set back', () => {
    expect(mergeHistory(seconds(100, 110), seconds(50, 52)).map(({ second }) => second)).toEqual([
      50, 51, 52,
    ]);
  });

  it('stays as it was when nothing fresh came', () => {
    const known = seconds(1, 3);
    expect(mergeHistory(known, [])).toBe(known);
  });
});

describe('secondsToRead', () => {
  it('reads everything the first time, then what passed and a little more', () => {
    expect(secondsToRead(undefined, 1_000)).toBe(HISTORY_SECONDS);
    expect(secondsToRead(1_000, 2_000)).toBe(6);
    expect(secondsToRead(1_000, 61_500)).toBe(66);
  });

  it('reads everything after a long silence, or when this clock was set back', () => {
    expect(secondsToRead(0, 10 * 3_600_000)).toBe(HISTORY_SECONDS);
    expect(secondsToRead(5_000, 4_000)).toBe(HISTORY_SECONDS);
  });
});
