import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PAGE = new URL('../page/', import.meta.url);

/** The browser's modules that draw nothing run here too. */
async function pageModule<Exports>(file: string): Promise<Exports> {
  return (await import(new URL(file, PAGE).href)) as Exports;
}

const { roundMarks } = await pageModule<{
  roundMarks: (greatest: number, options?: { whole: boolean }) => number[];
}>('scale.js');
const { ago, bytes, shortNumber } =
  await pageModule<Record<'ago' | 'bytes' | 'shortNumber', (value: number) => string>>('numerals.js');
const { devicesText, measuredText } = await pageModule<{
  devicesText: (devices: { name: string }[]) => string;
  measuredText: (devices: { calibratedTokensPerSecond?: number }[]) => string;
}>('farm-rows.js');

describe('the page', () => {
  it.each(readdirSync(PAGE))('%s asks nobody else and writes no markup from names', (file) => {
    const text = readFileSync(new URL(file, PAGE), 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
    expect(text).not.toMatch(/https?:|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/u);
    // The content security policy would drop these.
    expect(text).not.toMatch(/ style="| on\w+="|<style|<script>/u);
  });
});

describe('roundMarks', () => {
  it.each([
    [0, [0]],
    [1, [0, 0.5, 1]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [7, [0, 2, 4, 6, 8]],
    [1_699, [0, 500, 1_000, 1_500, 2_000]],
    [1_234_567, [0, 500_000, 1_000_000, 1_500_000]],
  ])('reaches %d by round steps', (greatest, marks) => {
    expect(roundMarks(greatest)).toEqual(marks);
  });

  it('has no half of what is counted', () => {
    expect(roundMarks(1, { whole: true })).toEqual([0, 1]);
    expect(roundMarks(3, { whole: true })).toEqual([0, 1, 2, 3]);
  });
});

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
    expect(shortNumber(Number.NaN)).toBe('–');
    expect([4e8, 3e9].map(bytes)).toEqual(['381 MiB', '2.8 GiB']);
    expect([0, 7, 60, 123].map(ago)).toEqual(['now', '7 s ago', '1 min ago', '2 min 3 s ago']);
  });

  it('count devices by kind', () => {
    const names = ['cpu/0', 'cpu/1', 'cuda:0'];
    expect(devicesText(names.map((name) => ({ name })))).toBe('2 × cpu, 1 × cuda');
    expect(devicesText([])).toBe('none');
  });

  it('say what devices can do together, where they were measured', () => {
    expect(measuredText([{ calibratedTokensPerSecond: 700 }, {}, { calibratedTokensPerSecond: 100 }])).toBe(
      'measured 800 tokens/s',
    );
    expect(measuredText([{}])).toBe('');
  });
});
