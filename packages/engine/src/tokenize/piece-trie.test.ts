import { describe, expect, it } from 'vitest';
import { PieceTrie } from './piece-trie.ts';

const unitsOf = (word: string): Uint16Array =>
  Uint16Array.from({ length: word.length }, (_, at) => word.charCodeAt(at));

describe('PieceTrie', () => {
  it('finds the longest piece at a place, and where it ends', () => {
    const trie = new PieceTrie(
      new Map([...['un', 'unit', '##a', '##able'].entries()].map(([id, token]) => [token, id])),
      '##',
    );
    const word = unitsOf('unitable');
    expect(trie.longest(trie.start, word, 0, word.length)).toBe(1);
    expect(trie.end).toBe(4);
    expect(trie.longest(trie.inside, word, 4, word.length)).toBe(3);
    expect(trie.end).toBe(8);
    expect(trie.longest(trie.inside, word, 4, word.length - 1)).toBe(2);
    expect(trie.longest(trie.start, word, 4, word.length)).toBe(-1);
    expect(trie.longest(trie.start, unitsOf('##a'), 0, 3)).toBe(2);
    expect(trie.longest(trie.inside, word, 0, word.length)).toBe(-1);
  });

  it('finds each of many pieces, and no others', () => {
    const tokens = Array.from(
      { length: 20_000 },
      (_, id) => `${id % 2 === 0 ? '##' : ''}${(id * 7_919).toString(36)}`,
    );
    const trie = new PieceTrie(new Map(tokens.map((token, id) => [token, id])), '##');
    const found = tokens.map((token) => {
      const word = unitsOf(token.replace('##', ''));
      const id = trie.longest(token.startsWith('##') ? trie.inside : trie.start, word, 0, word.length);
      return trie.end === word.length ? id : -1;
    });
    expect(found).toEqual(tokens.map((_, id) => id));
    expect(trie.longest(trie.start, unitsOf('!'), 0, 1)).toBe(-1);
  });
});
