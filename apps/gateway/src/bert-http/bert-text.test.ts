import { expect, it } from 'vitest';
import { bertText } from './bert-text.ts';

it.each([
  ['a text', false, 'a text'],
  ['a ||| b', false, ['a', 'b']],
  ['a ||| b ||| c', false, ['a ||| b', 'c']],
  [' ||| ', false, ['', '']],
  ['a|||b', false, 'a|||b'],
  ['a\nb ||| c', false, 'a\nb ||| c'],
  [['a', 'b'], true, ['a', 'b']],
  [['a', '|||', 'b', '|||', 'c'], true, [['a'], ['b', '|||', 'c']]],
  [['|||'], true, [[], []]],
])('reads %j, tokenized %j, as bert-as-service does', (text, isTokenized, read) => {
  expect(bertText(text, isTokenized, 'text')).toEqual(read);
});

it('takes no time for a text of nothing but separators', () => {
  const text = `${' ||| '.repeat(200_000)}\n`;
  const startedAtMs = performance.now();
  expect(bertText(text, false, 'text')).toBe(text);
  expect(performance.now() - startedAtMs).toBeLessThan(100);
});
