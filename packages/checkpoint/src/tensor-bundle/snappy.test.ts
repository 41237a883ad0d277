import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unpackSnappy } from './snappy.ts';
import { packSnappy } from './table.fixture.ts';

const LIMIT = 1 << 20;

describe('unpackSnappy', () => {
  it('reads literals and overlapping copies', () => {
    // "ab", then a copy of 8 from 2 back; then "c" as a literal whose length is in a byte of its own.
    const block = Uint8Array.of(11, 0x04, 0x61, 0x62, 0x11, 2, 60 << 2, 0, 0x63);
    expect(Buffer.from(unpackSnappy(block, LIMIT)).toString()).toBe('ababababab' + 'c');
  });

  it('gives back whatever was packed', () => {
    const repetitive = fc
      .array(fc.constantFrom('aaaa', 'encoder/layer_', 'x', 'attention/self/query', '\0\0'), {
        maxLength: 200,
      })
      .map((words) => new TextEncoder().encode(words.join('')));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), repetitive), (bytes) => {
        expect(Buffer.from(unpackSnappy(packSnappy(bytes), LIMIT))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['nothing', []],
    ['a length with no end', [0x80, 0x80]],
    ['a literal that is cut off', [5, 0x10, 0x61]],
    ['a literal past the length', [1, 0x04, 0x61, 0x62]],
    ['a copy from before the begin', [8, 0x00, 0x61, 0x0d, 2]],
    ['a copy from where it is', [8, 0x00, 0x61, 0x0d, 0]],
    ['a copy past the length', [4, 0x00, 0x61, 0x0d, 1]],
    ['less than its length', [4, 0x00, 0x61]],
    ['a length of 4 GiB', [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61]],
  ])('refuses %s', (_, bytes) => {
    expect(() => unpackSnappy(Uint8Array.from(bytes), LIMIT)).toThrow(RangeError);
  });

  it('refuses to grow past the limit', () => {
    const block = packSnappy(new Uint8Array(1000));
    expect(unpackSnappy(block, 1000)).toHaveLength(1000);
    expect(() => unpackSnappy(block, 999)).toThrow('says it unpacks to 1000');
  });

  it('ends every other block with a RangeError, or what it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(outcome(bytes)).toBe('as promised');
      }),
      { numRuns: 500 },
    );
  });
});

function outcome(bytes: Uint8Array): string {
  try {
    const { length } = unpackSnappy(bytes, LIMIT);
    return length <= 22 * bytes.length ? 'as promised' : `${length} bytes`;
  } catch (error) {
    return error instanceof RangeError ? 'as promised' : String(error);
  }
}
