/**
 * CRC-32C (Castagnoli), unsigned. `crc32c('123456789')` is 0xe3069283.
 *
 * Four tables are used at a time ("slicing by 4"): a BERT-base has 440 MB to check.
 *
 * Source: RFC 3720, appendix B.4; Kounavis & Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005.
 */
export function crc32c(bytes: Uint8Array): number {
  const [first, second, third, fourth] = (tables ??= makeTables());
  const whole = bytes.length - (bytes.length % 4);
  let crc = -1;
  let at = 0;
  while (at < whole) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      fourth[crc & 0xff]! ^ third[(crc >>> 8) & 0xff]! ^ second[(crc >>> 16) & 0xff]! ^ first[crc >>> 24]!;
    at += 4;
  }
  while (at < bytes.length) {
    crc = (crc >>> 8) ^ first[(crc ^ bytes[at]!) & 0xff]!;
    at += 1;
  }
  return ~crc >>> 0;
}

/**
 * A checksum as LevelDB stores it, so that the checksum of bytes which hold a checksum is sound.
 *
 * Source: https://github.com/google/leveldb/blob/main/util/crc32c.h
 */
export function maskChecksum(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array];
let tables: Tables | undefined;

const REVERSED_POLYNOMIAL = 0x82f63b78;

function makeTables(): Tables {
  const first = new Int32Array(256).map((_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? REVERSED_POLYNOMIAL : 0);
    return crc;
  });
  const next = (table: Int32Array): Int32Array => table.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!);
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
}
