import { describe, expect, it } from 'vitest';
import { crc32c, maskChecksum } from './crc32c.ts';

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the algorithm.
  it.each([
    ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['nothing', new Uint8Array(), 0],
  ])('gives the known checksum of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('does not depend on where the bytes lie', () => {
    const bytes = Uint8Array.from({ length: 70 }, (_, i) => (i * 37) & 0xff);
    for (let shift = 0; shift < 4; shift += 1) {
      const moved = new Uint8Array(80);
      moved.set(bytes, shift);
      expect(crc32c(moved.subarray(shift, shift + 70))).toBe(crc32c(bytes));
    }
  });
});

describe('maskChecksum', () => {
  it('gives the checksum that TensorFlow stores of a float32 of 0', () => {
    expect(maskChecksum(crc32c(new Uint8Array(4)))).toBe(974_224_294);
  });
});
