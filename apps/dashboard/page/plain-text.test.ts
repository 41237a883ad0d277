import { expect, it } from 'vitest';
import { plainText } from './plain-text.ts';

it('a name turns no line around, and holds no control', () => {
  expect(plainText('abc\u202Egpj.exe')).toBe('abc\uFFFDgpj.exe');
  expect(plainText('a\u0000b\u001B[31m\nc\u0085\u2066d')).toBe('a\uFFFDb\uFFFD[31m\uFFFDc\uFFFD\uFFFDd');
});

it('a name in any writing is as it was', () => {
  for (const name of ['reindex', 'مرحبا بالعالم', 'שלום', '👩‍👩‍👧 家', '<b>"&\'', '']) {
    expect(plainText(name)).toBe(name);
  }
});
