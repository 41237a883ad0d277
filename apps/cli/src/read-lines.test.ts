import { describe, expect, it } from 'vitest';
import { readLines } from './read-lines.ts';

async function* stream(...pieces: readonly (string | Uint8Array)[]) {
  for (const piece of pieces) yield piece;
}

describe('readLines', () => {
  it('gives one text a line, with either line end, and no text for the last end', async () => {
    expect(await readLines(stream('one\r\ntwo\n', '\nfo', 'ur'), 'stdin')).toEqual([
      'one',
      'two',
      '',
      'four',
    ]);
    expect(await readLines(stream('one\n'), 'stdin')).toEqual(['one']);
    expect(await readLines(stream(), 'stdin')).toEqual([]);
  });

  it('joins a character that came in two pieces', async () => {
    const bytes = new TextEncoder().encode('grüße\n');
    expect(await readLines(stream(bytes.subarray(0, 3), bytes.subarray(3)), 'stdin')).toEqual(['grüße']);
  });

  it('reads a stream without a line end no further than the longest text', async () => {
    const piece = 'x'.repeat(64 * 1024);
    let taken = 0;
    async function* endless() {
      for (;;) {
        taken += 1;
        yield taken === 1 ? `first\n${piece}` : piece;
      }
    }
    await expect(readLines(endless(), 'stdin')).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('stdin: line 2 has more than 1000000 bytes'),
    });
    expect(taken).toBe(16);
    const longest = 'x'.repeat(1_000_000);
    expect(await readLines(stream(longest, '\r\n'), 'stdin')).toEqual([longest]);
  });

  it.each([
    ['in the middle', [Uint8Array.of(97, 10, 0xff, 98)]],
    ['cut at the end', [Uint8Array.of(97, 10, 0xc3)]],
  ])('refuses bytes that are not UTF-8, %s', async (_, pieces) => {
    await expect(readLines(stream(...pieces), 'texts.txt')).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('texts.txt is not UTF-8'),
    });
  });
});
