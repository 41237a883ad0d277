import { describe, expect, it } from 'vitest';
import { MAX_TEXT_BYTES, MAX_TEXT_TOKENS, parseTexts, textBytes } from './encode-text.ts';

describe('the texts of a call', () => {
  it.each([
    ['a list that is none', 'one text', 'texts must be a list of strings, got string'],
    ['null', null, 'texts must be a list of strings, got null'],
    ['an empty list', [], 'texts is empty, at least 1 text is needed'],
    ['a number', ['a', 7], 'texts[1] must be a string or a pair of strings, got number'],
    [
      'a hole',
      Object.assign(Array(2), { 0: 'a' }),
      'texts[1] must be a string or a pair of strings, got undefined',
    ],
    ['a list of one', ['a', ['b']], 'texts[1] must be a string or a pair of strings, got a list of 1'],
    ['three strings', [['a', 'b', 'c']], 'texts[0] must be a string or a pair of strings, got a list of 3'],
    ['a number in a pair', ['a', ['b', 7]], 'texts[1][1] must be a string, got number'],
    ['a list of tokens that is none here', [[['a'], ['b']]], 'texts[0][0] must be a string, got array'],
    ['a lone surrogate in a pair', [['a', '\udc00']], 'texts[0][1] holds a lone surrogate'],
    [
      'a pair that is too large',
      [['x'.repeat(600_000), 'x'.repeat(400_000)]],
      `texts[0] has 1000006 bytes, limit is ${MAX_TEXT_BYTES}`,
    ],
    ['a lone surrogate', ['ok', 'x\ud800y'], 'texts[1] holds a lone surrogate, which has no UTF-8 form'],
    ['10 MB', ['x'.repeat(10_000_000)], `texts[0] has 10000000 bytes, limit is ${MAX_TEXT_BYTES}`],
    [
      'bytes, not characters',
      ['€'.repeat(400_000)],
      `texts[0] has 1200000 bytes, limit is ${MAX_TEXT_BYTES}`,
    ],
  ])('refuses %s by its index and limit', (_, texts, message) => {
    expect(() => parseTexts(texts)).toThrow(`[invalid_argument] ${message}`);
  });

  it('takes pairs beside strings, with empty parts', () => {
    const texts = ['a', ['b', 'c'], ['', '']];
    expect(parseTexts(texts)).toBe(texts);
  });

  it('takes an empty string, a pair of surrogates and a text at the limit', () => {
    const texts = ['', '😀', 'x'.repeat(MAX_TEXT_BYTES)];
    expect(parseTexts(texts)).toBe(texts);
  });
});

describe('the texts of a call with the option tokens', () => {
  it.each([
    ['no list', 'a b', 'texts must be a list of lists of tokens, got string'],
    ['a string', [['a'], 'b'], 'texts[1] must be a list of tokens, as the option tokens is true, got string'],
    ['a number', [['a', 7]], 'texts[0][1] must be a string, got number'],
    ['a list and a string', [[['a'], 'b']], 'texts[0][1] must be a list of tokens, got string'],
    [
      'three lists',
      [[['a'], ['b'], ['c']]],
      'texts[0] must be a list of tokens or a pair of such lists, got 3 lists',
    ],
    ['a lone surrogate', [[['a'], ['b', '\ud800']]], 'texts[0][1][1] holds a lone surrogate'],
    ['a string among ids', [[1, 'a']], 'texts[0][1] must be the id of a token, from 0 to 2147483647'],
    [
      'half an id',
      [[1, 1.5]],
      'texts[0][1] must be the id of a token, from 0 to 2147483647, as the first one is; got 1.5',
    ],
    ['an id below 0', [[['a'], [-1]]], 'texts[0][1][0] must be the id of a token'],
    [
      'an id that is no int32',
      [[2 ** 31]],
      'texts[0][0] must be the id of a token, from 0 to 2147483647, as the first one is; got 2147483648',
    ],
    [
      'too many tokens',
      [Array(MAX_TEXT_TOKENS + 1).fill('')],
      `texts[0] has 65537 tokens, limit is ${MAX_TEXT_TOKENS}`,
    ],
    [
      'too many bytes',
      [Array(10).fill('x'.repeat(100_000))],
      `texts[0] has 1000030 bytes, limit is ${MAX_TEXT_BYTES}`,
    ],
  ])('refuses %s by its index and limit', (_, texts, message) => {
    expect(() => parseTexts(texts, { tokens: true })).toThrow(`[invalid_argument] ${message}`);
  });

  it('takes lists and pairs of lists, with empty ones', () => {
    const texts = [
      ['a', 'b'],
      [['a'], ['b', 'c']],
      [],
      [[], []],
      Array(MAX_TEXT_TOKENS).fill(''),
      [0, 7],
      [[1], ['a']],
    ];
    expect(parseTexts(texts, { tokens: true })).toBe(texts);
  });
});

it('a text counts its bytes, and 3 more for each part', () => {
  expect([textBytes('€'), textBytes(['€', 'a']), textBytes([['a', 'b'], ['']])]).toEqual([3, 10, 17]);
  expect([textBytes([1, 2]), textBytes([[1], []])]).toEqual([16, 14]);
});
