import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface BundleHeader {
  readonly shards: number;
  readonly isLittleEndian: boolean;
  /** The oldest reader that may read it. */
  readonly minConsumer: number;
}

export interface BundleEntry {
  /** A number of TensorFlow's DataType. */
  readonly type: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly bytes: number;
  /** Masked CRC-32C of the bytes. */
  readonly checksum: number;
  /** A variable kept in parts has slices, and no bytes of its own. */
  readonly slices: number;
}

/**
 * A BundleHeaderProto.
 *
 * @throws RangeError or Error when the bytes are damaged.
 *
 * Source: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto
 */
export function parseBundleHeader(bytes: Uint8Array): BundleHeader {
  let [shards, endianness, minConsumer] = [0, 0, 0];
  fields(bytes, {
    [number(1)]: (reader) => (shards = reader.int32()),
    [number(2)]: (reader) => (endianness = reader.int32()),
    [message(3)]: (reader) =>
      fields(reader.bytes(), { [number(2)]: (version) => (minConsumer = version.int32()) }),
  });
  return { shards, isLittleEndian: endianness === 0, minConsumer };
}

/**
 * A BundleEntryProto. Numbers are as they were found; they may be negative or too large.
 *
 * @throws RangeError or Error when the bytes are damaged.
 */
export function parseBundleEntry(bytes: Uint8Array): BundleEntry {
  let [type, shard, offset, size, checksum, slices] = [0, 0, 0, 0, 0, 0];
  const shape: number[] = [];
  fields(bytes, {
    [number(1)]: (reader) => (type = reader.int32()),
    [message(2)]: (reader) => parseShape(reader.bytes(), shape),
    [number(3)]: (reader) => (shard = reader.int32()),
    [number(4)]: (reader) => (offset = Number(reader.int64())),
    [number(5)]: (reader) => (size = Number(reader.int64())),
    [fixed(6)]: (reader) => (checksum = reader.fixed32()),
    [message(7)]: (reader) => {
      reader.bytes();
      slices += 1;
    },
  });
  return { type, shape, shard, offset, bytes: size, checksum, slices };
}

/** TensorShapeProto: dimensions are messages of their own; one of size 0 is left out of the bytes. */
function parseShape(bytes: Uint8Array, shape: number[]): void {
  fields(bytes, {
    [message(2)]: (reader) => {
      let size = 0;
      fields(reader.bytes(), { [number(1)]: (dim) => (size = Number(dim.int64())) });
      shape.push(size);
    },
  });
}

type FieldReader = (reader: BinaryReader) => unknown;

/** Reads the fields that are known by number and wire type, and passes over all others. */
function fields(bytes: Uint8Array, known: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = known[field * 8 + wireType];
    if (read) read(reader);
    else reader.skip(wireType, field);
  }
}

const number = (field: number): number => field * 8 + WireType.Varint;
const fixed = (field: number): number => field * 8 + WireType.Bit32;
const message = (field: number): number => field * 8 + WireType.LengthDelimited;
