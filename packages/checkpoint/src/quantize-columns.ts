/** Columns of a matrix as whole numbers: `weights[i] = integers[i] * scales[column]`, rounded. */
export interface QuantizedColumns {
  /** shape `[inputs, outputs]`: -127 to 127 with 8 bits, -63 to 63 with 7. */
  readonly integers: Int8Array;
  /** shape `[outputs]`: what 1 stands for in a column. */
  readonly scales: Float32Array;
}

/** How many bits of a weight are kept: 7 where sums of two products have to fit 16 bits, see `DTYPES`. */
export type WeightBits = 7 | 8;

/**
 * A scale for every column, so that its largest number becomes the largest integer; zero stays zero.
 *
 * @param matrix shape `[inputs, outputs]`, float32.
 */
export function quantizeColumns(matrix: Float32Array, outputs: number, bits: WeightBits): QuantizedColumns {
  const most = 2 ** (bits - 1) - 1;
  const largest = new Float64Array(outputs);
  for (let at = 0; at < matrix.length; at += outputs) {
    for (let column = 0; column < outputs; column += 1) {
      const size = Math.abs(matrix[at + column]!);
      if (size > largest[column]!) largest[column] = size;
    }
  }
  // A column of zeros has any scale; one below float32's own would make its quotients infinite.
  const scales = Float32Array.from(largest, (size) => Math.fround(size / most) || 1);
  const integers = new Int8Array(matrix.length);
  for (let at = 0; at < matrix.length; at += outputs) {
    for (let column = 0; column < outputs; column += 1) {
      const integer = Math.round(matrix[at + column]! / scales[column]!);
      integers[at + column] = Math.max(-most, Math.min(most, integer));
    }
  }
  return { integers, scales };
}
