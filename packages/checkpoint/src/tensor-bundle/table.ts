import {
  MAX_ENTRIES,
  readBlock,
  readHandle,
  TRAILER_BYTES,
  type BlockEntry,
  type BlockHandle,
} from './block.ts';
import { ByteCursor } from './byte-cursor.ts';

const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;

/**
 * The entries of a LevelDB table, in the order of their keys. Every block's checksum is verified.
 *
 * @param table the whole file.
 * @throws RangeError when the table is damaged.
 *
 * Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
 */
export function readTable(table: Uint8Array): BlockEntry[] {
  const index = readFooter(table);
  const entries: BlockEntry[] = [];
  let end = 0;
  for (const { value } of readBlock(table, index)) {
    const handle = readHandle(new ByteCursor(value));
    // Blocks stand one behind the other. Without this, an index could name one block a million times.
    if (handle.offset < end || handle.offset + handle.size + TRAILER_BYTES > index.offset) {
      throw new RangeError(
        `a block is said to be at ${handle.offset}, not between ${end} and ${index.offset}`,
      );
    }
    end = handle.offset + handle.size + TRAILER_BYTES;
    append(entries, readBlock(table, handle));
  }
  return entries;
}

/** The handle of the metadata index, which nothing here needs, then that of the index. */
function readFooter(table: Uint8Array): BlockHandle {
  if (table.length < FOOTER_BYTES) throw new RangeError(`${table.length} bytes are too few for a table`);
  const footer = table.subarray(table.length - FOOTER_BYTES);
  const magic = Buffer.from(footer).readBigUInt64LE(FOOTER_BYTES - 8);
  if (magic !== MAGIC) throw new RangeError('it does not end as a table does');
  const cursor = new ByteCursor(footer);
  readHandle(cursor);
  return readHandle(cursor);
}

function append(entries: BlockEntry[], block: readonly BlockEntry[]): void {
  const last = entries.at(-1);
  const [first] = block;
  if (last && first && Buffer.compare(first.key, last.key) <= 0) {
    throw new RangeError('the keys of its blocks are not in order');
  }
  if (entries.length + block.length > MAX_ENTRIES)
    throw new RangeError(`it has more than ${MAX_ENTRIES} entries`);
  for (const entry of block) entries.push(entry);
}
