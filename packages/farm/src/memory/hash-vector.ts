import { createHash } from 'node:crypto';

/**
 * Numbers from -1 up to 1 made of a hash: the same for the same key, others for another, and those of a longer vector
 * begin with those of a shorter one. They mean nothing.
 */
export function hashVector(key: string, dimensions: number, normalize: boolean): Float32Array {
  const state = new Uint32Array(
    new Uint8Array(createHash('sha256').update(key).digest().subarray(0, 16)).buffer,
  );
  const numbers = Float64Array.from({ length: dimensions }, () => nextNumber(state));
  if (!normalize) return Float32Array.from(numbers);
  const length = Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
  return Float32Array.from(numbers, (number) => number / length);
}

/** xoshiro128++ (Blackman and Vigna, 2019), as a number from -1 up to 1. */
function nextNumber(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const bits = (rotate((a + d) | 0, 7) + a) >>> 0;
  const third = c ^ a;
  const fourth = d ^ b;
  state.set([a ^ fourth, b ^ third, third ^ (b << 9), rotate(fourth, 11)]);
  return bits / 2 ** 31 - 1;
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}
