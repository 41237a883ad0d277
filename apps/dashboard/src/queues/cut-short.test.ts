import { expect, it } from 'vitest';
import { cutShort, cutText } from './cut-short.ts';

it('cuts long texts, and of lists all but three', () => {
  const job = {
    requestId: '0-a-1',
    texts: ['short', 'x'.repeat(61), ['a', 'pair'], 'four', 'five'],
    options: { prompt: 'p'.repeat(1_000), normalize: true },
    refused: undefined,
  };
  expect(cutShort(job)).toEqual({
    requestId: '0-a-1',
    texts: ['short', `${'x'.repeat(60)}… (61 characters)`, ['a', 'pair'], '… 2 more'],
    options: { prompt: `${'p'.repeat(60)}… (1000 characters)`, normalize: true },
    refused: undefined,
  });
});

it('is short whatever it is given', () => {
  const deep = Array.from({ length: 50 }).reduce<unknown>((inner) => [inner], 'x');
  const wide = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`${index}`.repeat(99), index]),
  );
  for (const value of [deep, wide, [wide, wide], 'y'.repeat(1e6), new Float32Array(1_000)]) {
    expect(JSON.stringify(cutShort(value)).length).toBeLessThan(20_000);
  }
  for (const value of [null, undefined, 1, true, '', [], {}]) expect(cutShort(value)).toEqual(value);
});

it('cuts no character in two', () => {
  const text = '🙂'.repeat(100);
  expect(cutText(text)).toBe(`${'🙂'.repeat(60)}… (200 characters)`);
  expect(cutText(`a${text}`).isWellFormed()).toBe(true);
});
