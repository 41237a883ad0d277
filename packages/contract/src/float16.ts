/** The largest finite float16. What is 65,520 or more rounds to infinity. */
export const MAX_FLOAT16 = 65_504;

/**
 * IEEE 754 binary16 (1 bit of sign, 5 of exponent with bias 15, 10 of fraction), rounded to the nearest, ties to
 * the even one, as numpy's `astype('float16')`. What is too large becomes infinity; below 2^-14 precision falls
 * off, and below 2^-25 all is 0.
 */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i += 1) halves[i] = halfOf(bits[i] ?? 0);
  return halves;
}

/** Every float16 is a float32. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i += 1) values[i] = valueOf(halves[i] ?? 0);
  return values;
}

const INFINITY_BITS = 0x7f80_0000;
/** 2^16, 2^-14 and 2^-25 as float32 bits. */
const TOO_LARGE = 0x4780_0000;
const SMALLEST_NORMAL = 0x3880_0000;
const TOO_SMALL = 0x3300_0000;
/** The exponent's bias goes from 127 to 15. */
const REBIAS = 112 << 23;

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > INFINITY_BITS) return sign | 0x7e00;
  if (magnitude >= TOO_LARGE) return sign | 0x7c00;
  // A fraction that rounds up to 2 carries into the exponent, which is what it should.
  if (magnitude >= SMALLEST_NORMAL) return sign | shiftToEven(magnitude - REBIAS, 13);
  if (magnitude < TOO_SMALL) return sign;
  const fraction = (magnitude & 0x7f_ffff) | 0x80_0000;
  return sign | shiftToEven(fraction, 126 - (magnitude >>> 23));
}

/** `bits / 2^shift`, rounded to the nearest, ties to the even one. */
function shiftToEven(bits: number, shift: number): number {
  const down = bits >>> shift;
  const rest = bits & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && down % 2 === 1) ? down + 1 : down;
}

function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
