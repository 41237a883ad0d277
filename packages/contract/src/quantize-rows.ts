import { toFloat16 } from './float16.ts';
import { rowBytes, type VectorBlock, type VectorDtype } from './vector-block.ts';

/**
 * Rows as the caller wants them; see the option `dtype` for what each one means.
 *
 * @param values shape `[rows, dimensions]`; of length 1 each for int8.
 * @returns      the same shape; for `binary` `[rows, ceil(dimensions / 8)]`.
 */
export function quantizeRows(
  values: Float32Array,
  dimensions: number,
  dtype: VectorDtype,
): VectorBlock['values'] {
  switch (dtype) {
    case 'float32':
      return values;
    case 'float16':
      return toFloat16(values);
    case 'int8':
      return Int8Array.from(values, toInt8);
    case 'binary':
      return packSigns(values, dimensions);
  }
}

/** Rounding may have left a number just above 1. */
function toInt8(value: number): number {
  return Math.max(-127, Math.min(127, roundToEven(127 * value)));
}

/** As `numpy.round`: Math.round takes a half upwards, so that -x would not be the opposite of x. */
function roundToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** As `numpy.packbits(values > 0, axis=-1)`. */
function packSigns(values: Float32Array, dimensions: number): Uint8Array {
  const width = rowBytes('binary', dimensions);
  const bytes = new Uint8Array((values.length / dimensions) * width);
  for (let index = 0; index < values.length; index += 1) {
    if (!((values[index] ?? 0) > 0)) continue;
    const place = index % dimensions;
    const at = Math.floor(index / dimensions) * width + (place >> 3);
    bytes[at] = (bytes[at] ?? 0) | (0x80 >> (place & 7));
  }
  return bytes;
}
