import { expect, it } from 'vitest';
import { encodeTexts } from './encode-texts.ts';

it.each([
  [{ pairs: false, tokens: false }, 'a ||| b', 'a ||| b'],
  [{ pairs: true, tokens: false }, 'a ||| b', ['a', 'b']],
  [{ pairs: true, tokens: false }, 'a ||| b ||| c', ['a ||| b', 'c']],
  [{ pairs: true, tokens: false }, 'a|||b', 'a|||b'],
  [{ pairs: true, tokens: false }, '', ''],
  [{ pairs: false, tokens: true }, 'First  do ||| it ', ['First', 'do', '|||', 'it']],
  [{ pairs: true, tokens: true }, 'do ||| it ||| right', [['do'], ['it', '|||', 'right']]],
  [{ pairs: true, tokens: true }, '', []],
])('%j reads %j as %j', (form, line, text) => {
  expect(encodeTexts([line], form)).toEqual([text]);
});
