import { ByteCursor } from './byte-cursor.ts';
import { crc32c, maskChecksum } from './crc32c.ts';
import { unpackSnappy } from './snappy.ts';

/** A stretch of the table's file, without the trailer behind it. */
export interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

export interface BlockEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** One byte of compression, four of checksum. */
export const TRAILER_BYTES = 5;

const UNCOMPRESSED = 0;
const SNAPPY = 1;

// TensorFlow cuts blocks at 256 KiB before packing.
const MAX_BLOCK_BYTES = 1 << 24;

// Names of variables have some dozens of bytes. Without a limit, a few bytes could stand for a key that is
// as long as its block, again and again.
const MAX_KEY_BYTES = 2048;

// Of a block and of a table. A BERT-large with both moments of its optimizer has 1,200 tensors.
export const MAX_ENTRIES = 100_000;

export function readHandle(cursor: ByteCursor): BlockHandle {
  const offset = cursor.varint();
  return { offset, size: cursor.varint() };
}

/** @throws RangeError when the block is damaged. */
export function readBlock(table: Uint8Array, { offset, size }: BlockHandle): BlockEntry[] {
  return readEntries(unpack(table, offset, size));
}

function unpack(table: Uint8Array, offset: number, size: number): Uint8Array {
  const end = offset + size;
  if (end + TRAILER_BYTES > table.length) {
    throw new RangeError(
      `a block is said to end at ${end + TRAILER_BYTES}, the file ends at ${table.length}`,
    );
  }
  const stored = uint32At(table, end + 1);
  const actual = maskChecksum(crc32c(table.subarray(offset, end + 1)));
  if (stored !== actual)
    throw new RangeError(`the block at ${offset} has the checksum ${actual}, expected ${stored}`);
  const content = table.subarray(offset, end);
  const compression = table[end];
  if (compression === SNAPPY) return unpackSnappy(content, MAX_BLOCK_BYTES);
  if (compression === UNCOMPRESSED) return content;
  throw new RangeError(`the block at ${offset} has compression ${compression}, 0 and 1 (Snappy) are known`);
}

/**
 * Entries, then the offsets of the entries that share nothing with the one before, then their count.
 *
 * Source: https://github.com/google/leveldb/blob/main/table/block_builder.cc
 */
function readEntries(block: Uint8Array): BlockEntry[] {
  const restarts = readRestarts(block);
  const cursor = new ByteCursor(block.subarray(0, block.length - 4 * (restarts.length + 1)));
  const entries: BlockEntry[] = [];
  let key: Uint8Array = new Uint8Array();
  let nextRestart = 0;
  while (!cursor.isAtEnd) {
    const isRestart = cursor.position === restarts[nextRestart];
    if (isRestart) nextRestart += 1;
    const entry = readEntry(cursor, isRestart ? new Uint8Array() : key);
    if (entries.length > 0 && Buffer.compare(entry.key, key) <= 0) {
      throw new RangeError(`the key at ${cursor.position} is not above the one before it`);
    }
    if (entries.length === MAX_ENTRIES) throw new RangeError(`a block has more than ${MAX_ENTRIES} entries`);
    key = entry.key;
    entries.push(entry);
  }
  const isComplete = entries.length === 0 || nextRestart === restarts.length;
  if (!isComplete) throw new RangeError(`no entry begins at the restart ${restarts[nextRestart]}`);
  return entries;
}

function readRestarts(block: Uint8Array): number[] {
  const count = block.length < 4 ? 0 : uint32At(block, block.length - 4);
  const start = block.length - 4 * (count + 1);
  if (count < 1 || start < 0) throw new RangeError(`a block of ${block.length} bytes has ${count} restarts`);
  return Array.from({ length: count }, (_, index) => uint32At(block, start + 4 * index));
}

function readEntry(cursor: ByteCursor, previous: Uint8Array): BlockEntry {
  const shared = cursor.varint();
  const own = cursor.varint();
  const valueBytes = cursor.varint();
  if (shared > previous.length || shared + own > MAX_KEY_BYTES) {
    throw new RangeError(`a key of ${shared} shared and ${own} own bytes follows one of ${previous.length}`);
  }
  const key = new Uint8Array(shared + own);
  key.set(previous.subarray(0, shared));
  key.set(cursor.take(own), shared);
  return { key, value: cursor.take(valueBytes) };
}

function uint32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}
