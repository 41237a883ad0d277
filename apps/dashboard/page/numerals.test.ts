import { describe, expect, it } from 'vitest';
import { ago, bytes, calmDuration, cut, duration, exactNumber, percent, shortNumber } from './numerals.ts';

describe('numerals', () => {
  it('are short, and exact where a person counts', () => {
    expect([0, 0.44, 12, 4_213, 41_234, 1_234_567].map(shortNumber)).toEqual([
      '0',
      '0.4',
      '12',
      '4,213',
      '41.2K',
      '1.2M',
    ]);
    expect([10_000, 99_999, 1_234_567].map(exactNumber)).toEqual(['10,000', '99,999', '1.2M']);
    expect([4e8, 3e9].map(bytes)).toEqual(['381 MiB', '2.8 GiB']);
  });

  it('are a dash where nothing is known', () => {
    expect([undefined, Number.NaN].map(shortNumber)).toEqual(['—', '—']);
    expect([exactNumber, percent, duration, calmDuration].map((text) => text(undefined))).toEqual(
      Array.from({ length: 4 }, () => '—'),
    );
  });

  it('do not round a little to nothing, nor nearly all to all', () => {
    expect([0, 0.001, 0.0123, 0.39, 0.997, 0.9999, 1].map(percent)).toEqual([
      '0 %',
      '< 0.5 %',
      '1.2 %',
      '39 %',
      '99.9 %',
      '99.9 %',
      '100 %',
    ]);
  });

  it('tell a time by its two greatest units', () => {
    const times = [0.42, 34, 999.7, 1_240, 9_960, 59_400, 130_000, 11_520_000, 439_200_000];
    expect(times.map(duration)).toEqual([
      '0.4 ms',
      '34 ms',
      '1 s',
      '1.2 s',
      '10 s',
      '59 s',
      '2 min 10 s',
      '3 h 12 min',
      '5 d 2 h',
    ]);
  });

  it('tell an age in whole seconds', () => {
    expect([0, 7_400, 60_000, 123_000].map(calmDuration)).toEqual(['0 s', '7 s', '1 min', '2 min 3 s']);
    expect([0, 7_000, 60_000].map(ago)).toEqual(['now', '7 s ago', '1 min ago']);
  });

  it('cut a text, and no character', () => {
    expect(cut('short', 10)).toBe('short');
    expect(cut('0123456789abc', 10)).toBe('012345678…');
    expect(cut(`01234567${'😀'.repeat(9)}`, 10)).toBe('01234567…');
  });
});
