import { writeFile } from 'node:fs/promises';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { BundleEntry } from './bundle-messages.ts';
import { crc32c, maskChecksum } from './crc32c.ts';
import { tableOf, type TableOptions } from './table.fixture.ts';

// A tensor bundle of any content, sound or not, for tests.

export interface FixtureTensor {
  /** A number of TensorFlow's DataType; float32 by default. */
  readonly type?: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Fields of its entry that lie. */
  readonly lies?: Partial<BundleEntry>;
}

export interface BundleOptions extends TableOptions {
  readonly shards?: number;
  readonly header?: Uint8Array;
}

/** The files of a bundle by what follows their prefix; tensors go to the shards in turn. */
export function bundleFiles(
  tensors: Readonly<Record<string, FixtureTensor>>,
  { shards = 1, header = headerOf({ shards }), ...options }: BundleOptions = {},
): Map<string, Uint8Array> {
  const contents = Array.from({ length: shards }, (): Uint8Array[] => []);
  const ends = Array.from({ length: shards }, () => 0);
  const names = Object.keys(tensors).toSorted((left, right) =>
    Buffer.compare(Buffer.from(left), Buffer.from(right)),
  );
  const entries = names.map((name, index): [string, Uint8Array] => {
    const { type = 1, shape, bytes, lies } = tensors[name]!;
    const shard = index % shards;
    const offset = ends[shard]!;
    contents[shard]!.push(bytes);
    ends[shard] = offset + bytes.length;
    const checksum = maskChecksum(crc32c(bytes));
    return [name, entryOf({ type, shape, shard, offset, bytes: bytes.length, checksum, slices: 0, ...lies })];
  });
  const files = new Map([['.index', tableOf([['', header], ...entries], options)]]);
  contents.forEach((parts, shard) => files.set(shardSuffix(shard, shards), Buffer.concat(parts)));
  return files;
}

export async function writeBundle(
  prefix: string,
  tensors: Readonly<Record<string, FixtureTensor>>,
  options: BundleOptions = {},
): Promise<string> {
  for (const [suffix, bytes] of bundleFiles(tensors, options)) await writeFile(`${prefix}${suffix}`, bytes);
  return prefix;
}

export function floatTensor(shape: readonly number[], values: ArrayLike<number>): FixtureTensor {
  return { shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

export function headerOf({ shards = 1, endianness = 0, minConsumer = 0 }): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(shards);
  if (endianness !== 0) writer.tag(2, WireType.Varint).int32(endianness);
  writer.tag(3, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(1);
  return writer.tag(2, WireType.Varint).int32(minConsumer).join().finish();
}

export function entryOf(entry: BundleEntry): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(entry.type);
  writer.tag(2, WireType.LengthDelimited).fork();
  for (const size of entry.shape) {
    writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(size).join();
  }
  writer.join().tag(3, WireType.Varint).int32(entry.shard);
  writer.tag(4, WireType.Varint).int64(entry.offset);
  writer.tag(5, WireType.Varint).int64(entry.bytes);
  writer.tag(6, WireType.Bit32).fixed32(entry.checksum);
  for (let slice = 0; slice < entry.slices; slice += 1)
    writer.tag(7, WireType.LengthDelimited).bytes(new Uint8Array());
  return writer.finish();
}

export function shardSuffix(shard: number, shards: number): string {
  return `.data-${String(shard).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}`;
}
