import { describe, expect, it } from 'vitest';
import { quantizeRows } from './quantize-rows.ts';

describe('quantizeRows', () => {
  it('rounds to int8 by 127, ties to the even number, and no further than 127', () => {
    const values = Float32Array.of(1, -1, 0.5, -0.5, 1.6 / 127, 0, -0, 1.0001, -1.0001, 0.0039);
    expect([...quantizeRows(values, 5, 'int8')]).toEqual([127, -127, 64, -64, 2, 0, 0, 127, -127, 0]);
  });

  it('gives x and -x opposite int8 rows', () => {
    const values = Float32Array.from({ length: 512 }, (_, index) => (index - 256) / 254);
    const turned = quantizeRows(
      values.map((value) => -value),
      8,
      'int8',
    );
    expect([...turned]).toEqual([...quantizeRows(values, 8, 'int8')].map((value) => 0 - value));
  });

  it('packs a bit for each number above 0, the first one highest, every row into bytes of its own', () => {
    const row = [0.1, -1, 0, 2, -0, 1e-30, -1e-30, 3, 4, -5];
    const values = Float32Array.from([...row, ...row.map((value) => -value)]);
    // numpy.packbits([[1, 0, 0, 1, 0, 1, 0, 1, 1, 0], [0, 1, 0, 0, 0, 0, 1, 0, 0, 1]], axis=-1)
    expect([...quantizeRows(values, 10, 'binary')]).toEqual([149, 128, 66, 64]);
  });

  it('leaves float32 as it is and rounds float16', () => {
    const values = Float32Array.of(1, 1 + 2 ** -11);
    expect(quantizeRows(values, 2, 'float32')).toBe(values);
    expect([...quantizeRows(values, 2, 'float16')]).toEqual([0x3c00, 0x3c00]);
  });

  it.each(['float16', 'int8', 'binary'] as const)('takes no rows to no rows of %s', (dtype) => {
    expect(quantizeRows(new Float32Array(0), 8, dtype)).toHaveLength(0);
  });
});
