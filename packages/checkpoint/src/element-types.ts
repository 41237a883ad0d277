import { fromFloat16 } from '@embedfarm/contract';

/** Bytes of one element, by the element types that can be read as float32. */
export const ELEMENT_BYTES = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int32: 4,
  int64: 8,
} as const;

export type ElementType = keyof typeof ELEMENT_BYTES;

/**
 * Little-endian elements as float32; what float32 cannot hold is rounded to the nearest. The bytes begin
 * their buffer, so that float32 is read in place.
 */
export function floatsOf(type: ElementType, { buffer, byteLength }: Uint8Array<ArrayBuffer>): Float32Array {
  const elements = byteLength / ELEMENT_BYTES[type];
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, 0, elements);
    case 'float16':
      return fromFloat16(new Uint16Array(buffer, 0, elements));
    case 'bfloat16':
      return upperHalves(new Uint16Array(buffer, 0, elements));
    case 'float64':
      return new Float32Array(new Float64Array(buffer, 0, elements));
    case 'int32':
      return new Float32Array(new Int32Array(buffer, 0, elements));
    case 'int64':
      return Float32Array.from(new BigInt64Array(buffer, 0, elements), Number);
  }
}

/** A bfloat16 is the upper half of a float32. */
function upperHalves(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i += 1) words[i] = (halves[i] ?? 0) << 16;
  return new Float32Array(words.buffer);
}
