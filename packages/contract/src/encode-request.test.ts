import { describe, expect, it } from 'vitest';
import { MAX_TEXT_BYTES, parseEncodeRequest, parseTexts } from './encode-request.ts';

describe('the texts of a call', () => {
  it.each([
    ['a list that is none', 'one text', 'texts must be a list of strings, got string'],
    ['null', null, 'texts must be a list of strings, got null'],
    ['an empty list', [], 'texts is empty, at least 1 text is needed'],
    ['a number', ['a', 7], 'texts[1] must be a string, got number'],
    ['a hole', Object.assign(Array(2), { 0: 'a' }), 'texts[1] must be a string, got undefined'],
    ['a list', ['a', ['b']], 'texts[1] must be a string, got array'],
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

  it('takes an empty string, a pair of surrogates and a text at the limit', () => {
    const texts = ['', '😀', 'x'.repeat(MAX_TEXT_BYTES)];
    expect(parseTexts(texts)).toBe(texts);
  });
});

describe('the options of a call', () => {
  it('names an unknown option and one out of range', () => {
    expect(() => parseEncodeRequest({ normalise: true })).toThrow('"normalise"');
    expect(() => parseEncodeRequest({ dimensions: 0 })).toThrow('dimensions');
    expect(() => parseEncodeRequest({ model: 'a:b' })).toThrow('model');
    expect(() => parseEncodeRequest({ truncate: 'middle' })).toThrow('truncate');
    expect(() => parseEncodeRequest({ dtype: 'float64' })).toThrow('dtype');
  });

  it('completes what is left out', () => {
    expect(parseEncodeRequest({})).toEqual({ truncate: 'end', dtype: 'float32' });
  });
});
