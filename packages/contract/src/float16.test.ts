import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat16, MAX_FLOAT16, toFloat16 } from './float16.ts';

const bitsOf = (...values: number[]): number[] => [...toFloat16(Float32Array.from(values))];
const ALL_HALVES = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const isNoNumber = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;

describe('float16', () => {
  it.each([
    ['1', 1, 0x3c00],
    ['-2', -2, 0xc000],
    ['the largest', MAX_FLOAT16, 0x7bff],
    ['the last that rounds down to it', 65_519.996, 0x7bff],
    ['the first that is infinite', 65_520, 0x7c00],
    ['one far too large', -1e30, 0xfc00],
    ['infinity', Infinity, 0x7c00],
    ['no number', Number.NaN, 0x7e00],
    ['-0', -0, 0x8000],
    ['the smallest normal', 2 ** -14, 0x0400],
    ['the smallest of all', 2 ** -24, 0x0001],
    ['half of it, a tie', 2 ** -25, 0x0000],
    ['just more than half of it', 2 ** -25 * (1 + 2 ** -20), 0x0001],
    ['a tie below an odd fraction', 1 + 2 ** -11, 0x3c00],
    ['a tie above an odd fraction', 1 + 3 * 2 ** -11, 0x3c02],
    ['a fraction that rounds up to the next power', 1.9999, 0x4000],
    ['a subnormal that rounds up to a normal', 2 ** -14 - 2 ** -26, 0x0400],
  ])('of %s is right', (_, value, bits) => {
    expect(bitsOf(value)).toEqual([bits]);
  });

  it('brings all 65,536 back with their bits', () => {
    const back = [...toFloat16(fromFloat16(ALL_HALVES))];
    expect(back).toEqual([...ALL_HALVES].map((bits) => (isNoNumber(bits) ? 0x7e00 : bits)));
  });

  it('takes the nearest float16 of any number, of two as near the even one', () => {
    const finite = fromFloat16(ALL_HALVES.filter((bits) => bits < 0x7c00));
    fc.assert(
      fc.property(fc.float({ min: 0, max: 65_503, noNaN: true }), (value) => {
        const [bits = 0] = bitsOf(value);
        const distance = Math.abs((finite[bits] ?? 0) - value);
        for (const other of [bits - 1, bits + 1].filter((place) => place >= 0)) {
          const itsDistance = Math.abs((finite[other] ?? Infinity) - value);
          expect(distance < itsDistance || (distance === itsDistance && bits % 2 === 0)).toBe(true);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
