import { MAX_CHUNK_BYTES } from '@embedfarm/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitTexts } from './split-texts.ts';
import { TextChunks, type TextChunk } from './text-chunks.ts';

const MAX_TEXTS = 4;
/** Short ones, and ones of which a chunk holds few. */
const texts = fc.array(
  fc.oneof(
    fc.string(),
    fc.integer({ min: 0, max: MAX_CHUNK_BYTES }).map((length) => 'x'.repeat(length)),
  ),
  { maxLength: 40 },
);

describe('the chunks of a source', () => {
  it('are cut where those of a list are, however the source gives its texts', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        async (list, waits) => {
          const expected = splitTexts(list, MAX_TEXTS).map(({ from, to }) => [from, list.slice(from, to)]);
          const slow = (async function* () {
            for (const [index, text] of list.entries()) {
              if (waits[index] === true) await new Promise(setImmediate);
              yield text;
            }
          })();
          for (const source of [list, slow]) {
            const chunks = await readAll(open(source));
            expect(chunks.map((chunk) => [chunk.from, chunk.texts])).toEqual(expected);
            expect(chunks.map(({ index }) => index)).toEqual(expected.map((_, index) => index));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lose no text when they are flushed, and keep the places', async () => {
    const list = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const slow = (async function* () {
      for (const text of list) {
        await new Promise(setImmediate);
        yield text;
      }
    })();
    const chunks = open(slow);
    const flushing = setInterval(() => chunks.flush(), 1);
    const read = await readAll(chunks);
    clearInterval(flushing);
    expect(read.flatMap((chunk) => chunk.texts)).toEqual(list);
    let from = 0;
    for (const chunk of read) {
      expect(chunk.from).toBe(from);
      from += chunk.texts.length;
    }
  });

  it('hold the lists that a source gave, not those that it fills anew', async () => {
    const pair = ['', ''];
    const reused = (function* () {
      for (const part of ['a', 'b']) {
        pair[0] = part;
        yield pair;
      }
    })();
    const [chunk] = await readAll(open(reused));
    expect(chunk?.texts).toEqual([
      ['a', ''],
      ['b', ''],
    ]);
  });

  it('end with a source that gives no steps, which would never end', async () => {
    const source = { [Symbol.asyncIterator]: () => ({ next: () => 5 }) };
    await expect(readAll(open(source as unknown as Iterable<string>))).rejects.toThrow(
      'it is no object but number',
    );
  });

  it('end with what the source throws, and a read that waits when it is closed', async () => {
    const fault = new Error('no more');
    const failing = open(
      (function* () {
        yield 'one';
        throw fault;
      })(),
    );
    expect((await failing.next())?.texts).toEqual(['one']);
    await expect(failing.next()).rejects.toBe(fault);
    const hanging = open({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
    });
    const waiting = hanging.next();
    await hanging.close();
    expect(await waiting).toBeUndefined();
  });
});

function open(source: Iterable<string | readonly string[]> | AsyncIterable<string>): TextChunks {
  return new TextChunks(source, {
    tokens: false,
    maxTexts: MAX_TEXTS,
    skip: 0,
    onFirstText: () => undefined,
  });
}

async function readAll(chunks: TextChunks): Promise<TextChunk[]> {
  const all: TextChunk[] = [];
  for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) all.push(chunk);
  return all;
}
