import { expect, it } from 'vitest';
import { bertText } from './bert-text.ts';

const place = (isTokenized: boolean) => ({ isTokenized, name: 'text', because: 'is_tokenized says' });

it.each([
  ['a text', false, 'a text'],
  ['a ||| b', false, ['a', 'b']],
  ['a ||| b ||| c', false, ['a ||| b', 'c']],
  [' ||| ', false, '|||'],
  ['a|||b', false, 'a|||b'],
  ['a\nb ||| c', false, 'a\nb ||| c'],
  [['a', 'b'], true, ['a', 'b']],
  [['a', '|||', 'b', '|||', 'c'], true, [['a'], ['b', '|||', 'c']]],
  [['|||'], true, [[], []]],
])('reads %j, tokenized %j, as bert-as-service does', (text, isTokenized, read) => {
  expect(bertText(text, place(isTokenized))).toEqual(read);
});

it.each([
  [['a'], false, 'text must be a string, as is_tokenized says; got a list'],
  [null, true, 'text must be a list of tokens, as is_tokenized says; got null'],
  [['a', 7], true, 'text[1] must be a string, got number'],
  ['x'.repeat(1_000_001), false, 'text has 1000001 bytes'],
])('refuses what is none: %#', (text, isTokenized, fault) => {
  expect(() => bertText(text, place(isTokenized))).toThrow(fault);
});

it('takes no time for a text of nothing but separators', () => {
  const text = `${' ||| '.repeat(199_000)}\n|`;
  const startedAtMs = performance.now();
  expect(bertText(text, place(false))).toBe(text.trim());
  expect(performance.now() - startedAtMs).toBeLessThan(100);
});
