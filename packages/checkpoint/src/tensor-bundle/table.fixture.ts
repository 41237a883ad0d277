import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { crc32c, maskChecksum } from './crc32c.ts';

// A LevelDB table of any content, sound or not, for tests.

export interface TableOptions {
  readonly entriesPerBlock?: number;
  readonly restartInterval?: number;
  readonly snappy?: boolean;
  /** Damages the content of a block before it is packed and its checksum is made. */
  readonly damage?: (content: Uint8Array, block: number | 'index') => Uint8Array;
}

type Entry = readonly [key: string | Uint8Array, value: Uint8Array];

export function tableOf(entries: readonly Entry[], options: TableOptions = {}): Uint8Array {
  const {
    entriesPerBlock = 16,
    restartInterval = 4,
    snappy = false,
    damage = (content) => content,
  } = options;
  const parts: Uint8Array[] = [];
  let end = 0;
  const add = (content: Uint8Array, block: number | 'index'): Uint8Array => {
    const damaged = damage(content, block);
    const body = Buffer.concat([snappy ? packSnappy(damaged) : damaged, Uint8Array.of(snappy ? 1 : 0)]);
    const handle = handleOf(end, body.length - 1);
    parts.push(body, uint32(maskChecksum(crc32c(body))));
    end += body.length + 4;
    return handle;
  };
  const index: Entry[] = [];
  for (let at = 0; at < entries.length; at += entriesPerBlock) {
    const block = entries.slice(at, at + entriesPerBlock);
    const handle = add(blockOf(block, restartInterval), index.length);
    index.push([block.at(-1)?.[0] ?? '', handle]);
  }
  const metaindex = add(blockOf([], restartInterval), -1);
  const handles = Buffer.concat([metaindex, add(blockOf(index, 1), 'index')]);
  const magic = Buffer.from('57fb808b247547db', 'hex');
  return Buffer.concat([...parts, handles, new Uint8Array(40 - handles.length), magic]);
}

export function handleOf(offset: number, size: number): Uint8Array {
  return new BinaryWriter().uint64(offset).uint64(size).finish();
}

export function blockOf(entries: readonly Entry[], restartInterval: number): Uint8Array {
  const parts: Uint8Array[] = [];
  const restarts: number[] = [];
  let [end, previous] = [0, new Uint8Array()];
  entries.forEach(([name, value], index) => {
    const key = typeof name === 'string' ? new TextEncoder().encode(name) : new Uint8Array(name);
    const isRestart = index % restartInterval === 0;
    if (isRestart) restarts.push(end);
    const shared = isRestart ? 0 : key.findIndex((byte, at) => byte !== previous[at]);
    const lengths = new BinaryWriter()
      .uint32(shared)
      .uint32(key.length - shared)
      .uint32(value.length);
    const entry = Buffer.concat([lengths.finish(), key.subarray(shared), value]);
    parts.push(entry);
    end += entry.length;
    previous = key;
  });
  if (restarts.length === 0) restarts.push(0);
  return Buffer.concat([...parts, ...[...restarts, restarts.length].map(uint32)]);
}

/** Literals and copies of all three forms. */
export function packSnappy(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes);
  const parts: Uint8Array[] = [new BinaryWriter().uint32(bytes.length).finish()];
  let [at, literalStart] = [0, 0];
  while (at + 4 <= buffer.length) {
    const found = buffer.subarray(0, at + 3).lastIndexOf(buffer.subarray(at, at + 4));
    if (found < 0) {
      at += 1;
      continue;
    }
    let length = 4;
    while (length < 64 && at + length < buffer.length && buffer[found + length] === buffer[at + length]) {
      length += 1;
    }
    parts.push(...literals(buffer.subarray(literalStart, at)), copy(at - found, length));
    at += length;
    literalStart = at;
  }
  return Buffer.concat([...parts, ...literals(buffer.subarray(literalStart))]);
}

function literals(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) return [];
  const tag =
    bytes.length <= 60 ? [(bytes.length - 1) << 2] : [61 << 2, ...uint32(bytes.length - 1).subarray(0, 2)];
  return [Uint8Array.from(tag), bytes];
}

function copy(distance: number, length: number): Uint8Array {
  if (length <= 11 && distance < 2048) {
    return Uint8Array.of(1 | ((length - 4) << 2) | ((distance >>> 8) << 5), distance & 0xff);
  }
  // The form with four bytes of distance is never needed; every odd length takes it, so that it is tested.
  const isWide = length % 2 === 1;
  const tag = ((length - 1) << 2) | (isWide ? 3 : 2);
  return Uint8Array.of(tag, ...uint32(distance).subarray(0, isWide ? 4 : 2));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
