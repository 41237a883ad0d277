import { describe, expect, it } from 'vitest';
import { WordCache } from './word-cache.ts';

describe('WordCache', () => {
  const ids = new Int32Array(16);
  const put = (cache: WordCache, word: string, some: readonly number[]): void => {
    ids.set(some);
    cache.put(word, 0, word.length, ids, 0, some.length);
  };
  const read = (cache: WordCache, word: string): number[] | undefined => {
    const found = cache.read(`<${word}>`, 1, 1 + word.length, ids, 2);
    return found < 0 ? undefined : [...ids.subarray(2, 2 + found)];
  };

  it('gives what was put for a word, wherever in a text it stands', () => {
    const cache = new WordCache();
    put(cache, 'unaffable', [4, 5, 6]);
    put(cache, '\u0301', []);
    expect(read(cache, 'unaffable')).toEqual([4, 5, 6]);
    expect(read(cache, '\u0301')).toEqual([]);
    expect(read(cache, 'unaffabl')).toBeUndefined();
    expect(read(cache, 'unaffably')).toBeUndefined();
  });

  it('keeps no long word, and none of many pieces', () => {
    const cache = new WordCache();
    put(cache, 'a'.repeat(25), [1]);
    put(
      cache,
      'abc',
      Array.from({ length: 9 }, () => 1),
    );
    expect(read(cache, 'a'.repeat(25))).toBeUndefined();
    expect(read(cache, 'abc')).toBeUndefined();
    put(cache, 'b'.repeat(24), [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(read(cache, 'b'.repeat(24))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('forgets old words for new ones, and never mistakes one for another', () => {
    const cache = new WordCache();
    const words = Array.from({ length: 300_000 }, (_, index) => `word${index}`);
    for (const [index, word] of words.entries()) put(cache, word, [index]);
    const wrong = words.filter((word, index) => (read(cache, word) ?? [index])[0] !== index);
    const kept = words.filter((word) => read(cache, word) !== undefined).length;
    expect(wrong).toEqual([]);
    expect(kept).toBeGreaterThan(40_000);
    expect(kept).toBeLessThanOrEqual(65_536);
  });
});
