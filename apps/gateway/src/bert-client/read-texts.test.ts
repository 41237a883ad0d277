import { describe, expect, it } from 'vitest';
import { readTexts } from './read-texts.ts';

function read(json: string | Buffer, maxTexts = 1_000): unknown {
  return readTexts(Buffer.from(json as string), { maxTexts });
}

describe('readTexts', () => {
  it('reads strings with escapes as Python writes them', () => {
    expect(read('["\\u4f60\\u597d \\ud83d\\ude00", "a\\"b"]')).toEqual({
      texts: ['你好 😀', 'a"b'],
      tokens: false,
    });
  });

  it('takes lists for texts that are tokenized', () => {
    expect(read('[["First", "do"], ["it"]]')).toEqual({ texts: [['First', 'do'], ['it']], tokens: true });
  });

  it.each([
    ['"a ||| b"', ['a', 'b']],
    ['"a ||| b ||| c"', ['a ||| b', 'c']],
    ['"  a |||  b "', ['a', ' b']],
    ['"a|||b"', 'a|||b'],
    ['"a ||| "', 'a |||'],
    ['" ||| a"', '||| a'],
    ['"a\\n ||| b"', 'a\n ||| b'],
    ['"\\ud800x"', '\u{fffd}x'],
    ['""', ''],
  ])('reads the string %s', (json, text) => {
    expect(read(`[${json}]`)).toEqual({ texts: [text], tokens: false });
  });

  it.each([
    ['["a","|||","b"]', [['a'], ['b']]],
    ['["a","|||","b","|||","c"]', [['a'], ['b', '|||', 'c']]],
    ['["|||","b"]', [[], ['b']]],
    ['["a ||| b"]', ['a ||| b']],
  ])('reads the tokens %s', (json, text) => {
    expect(read(`[${json}]`)).toEqual({ texts: [text], tokens: true });
  });

  it.each([
    ['', 'not JSON'],
    ['{"a"', 'an object'],
    ['[{}]', 'an object'],
    ['["{}"', 'not JSON'],
    ['[[["a"]]]', 'a list in a list of tokens'],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 'not JSON in UTF-8'],
    ['"a"', 'a JSON list'],
    ['null', 'a JSON list'],
    ['[]', 'is empty'],
    ['[1]', 'texts[0] must be a string'],
    ['["a", null]', 'texts[1] must be a string, as texts[0] is one; got null'],
    ['["a", ["b"]]', 'texts[1] must be a string, as texts[0] is one; got a list'],
    ['[["a"], "b"]', 'texts[1] must be a list of tokens'],
    ['[["a", 1]]', 'texts[0][1] must be a string, got number'],
    [JSON.stringify(Array.from({ length: 1_001 }, () => 'a')), '1001 texts, limit is 1000'],
    [JSON.stringify(['a', 'x'.repeat(1_000_001)]), 'texts[1] has 1000001 bytes'],
  ])('refuses %s', (json, fault) => {
    expect(() => read(json)).toThrow(fault);
  });

  it('is not led astray by brackets and quotes in texts', () => {
    const texts = ['[[[', '{"a": 1}', '\\', '\\"', '"]', ',,,'];
    expect(read(JSON.stringify(texts))).toEqual({ texts, tokens: false });
  });

  it('refuses lists that would take a gigabyte before they are parsed', () => {
    const startedAt = performance.now();
    expect(() => read('['.repeat(20_000_000))).toThrow('a list in a list of tokens');
    expect(() => read(`[${'[],'.repeat(17_000_000)}[]]`)).toThrow('more than 16777216 texts and tokens');
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
