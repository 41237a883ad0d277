import { ByteCursor } from './byte-cursor.ts';

// The best copy makes 64 bytes of 3, so a block cannot grow more than this.
const MAX_GROWTH = 22;

/**
 * A Snappy block (no frame around it), unpacked.
 *
 * @throws RangeError when the block is damaged, or would grow past `maxBytes`.
 *
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
export function unpackSnappy(block: Uint8Array, maxBytes: number): Uint8Array {
  const cursor = new ByteCursor(block);
  const length = cursor.varint();
  if (length > maxBytes || length > MAX_GROWTH * block.length) {
    throw new RangeError(`a Snappy block of ${block.length} bytes says it unpacks to ${length}`);
  }
  const unpacked = new Uint8Array(length);
  let end = 0;
  while (!cursor.isAtEnd) {
    const tag = cursor.byte();
    const kind = tag & 3;
    if (kind === 0) end = literal(unpacked, end, cursor.take(literalLength(cursor, tag >>> 2)));
    else if (kind === 1) end = copy(unpacked, end, ((tag >>> 5) << 8) | cursor.byte(), 4 + ((tag >>> 2) & 7));
    else end = copy(unpacked, end, littleEndian(cursor, kind === 2 ? 2 : 4), 1 + (tag >>> 2));
  }
  if (end !== length) throw new RangeError(`a Snappy block unpacks to ${end} bytes, it says ${length}`);
  return unpacked;
}

/** Up to 60 in the tag itself, else in the 1 to 4 bytes after it. */
function literalLength(cursor: ByteCursor, code: number): number {
  return 1 + (code < 60 ? code : littleEndian(cursor, code - 59));
}

function littleEndian(cursor: ByteCursor, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i += 1) value += cursor.byte() * 256 ** i;
  return value;
}

function literal(unpacked: Uint8Array, at: number, bytes: Uint8Array): number {
  const end = at + bytes.length;
  if (end > unpacked.length) throw new RangeError('a Snappy literal goes past the end');
  unpacked.set(bytes, at);
  return end;
}

/** From behind; where the copy is longer than its distance it repeats what it just wrote. */
function copy(unpacked: Uint8Array, at: number, distance: number, length: number): number {
  const end = at + length;
  if (distance === 0 || distance > at) throw new RangeError(`a Snappy copy goes back ${distance} at ${at}`);
  if (end > unpacked.length) throw new RangeError('a Snappy copy goes past the end');
  for (let to = at; to < end; to += 1) unpacked[to] = unpacked[to - distance]!;
  return end;
}
