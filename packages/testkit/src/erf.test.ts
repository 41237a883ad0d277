import { describe, expect, it } from 'vitest';
import { erf } from './erf.ts';

describe('erf', () => {
  // Wolfram's values, 16 digits.
  it.each([
    [0, 0],
    [0.001, 0.001128378790969236],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2.5, 0.999593047982555],
    [4, 0.9999999845827421],
    [6.5, 1],
  ])('of %d is %d to 1e-14, and the function is odd', (x, value) => {
    expect(Math.abs(erf(x) - value)).toBeLessThan(1e-14);
    expect(erf(-x) + erf(x)).toBe(0);
  });
});
