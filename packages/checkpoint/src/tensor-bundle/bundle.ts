import { FarmError } from '@embedfarm/contract';
import { readWholeFile } from '../read-file-range.ts';
import { storedTensor, unreadable, type StoredTensor, type StoredTensors } from '../stored-tensor.ts';
import {
  parseBundleEntry,
  parseBundleHeader,
  type BundleEntry,
  type BundleHeader,
} from './bundle-messages.ts';
import { crc32c, maskChecksum } from './crc32c.ts';
import { readTable } from './table.ts';

// A thousand tensors take some 100 KB.
const MAX_INDEX_BYTES = 1 << 24;

// kTensorBundleVersion of tensorflow/core/util/tensor_bundle/tensor_bundle.h
const READER_VERSION = 1;

// What its number of five digits can name.
const MAX_SHARDS = 99_999;

/**
 * The tensors of a TensorFlow checkpoint (V2, "tensor bundle"): `<prefix>.index`, and one or more
 * `<prefix>.data-00000-of-00001`. Only the index is read; a tensor is read from its shard, and its checksum
 * verified, whenever it is asked for. A missing shard is no error until then.
 *
 * Parts of partitioned variables, and types that are not numbers, are listed and throw when read.
 *
 * @throws FarmError `invalid_argument` naming the file, and the tensor, that is damaged or not understood.
 *
 * Source: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/tensor_bundle/tensor_bundle.h
 */
export function readTensorBundle(prefix: string): StoredTensors {
  const file = `${prefix}.index`;
  const table = understood(file, 'the index', () =>
    readTable(readWholeFile(file, MAX_INDEX_BYTES, 'the index')),
  );
  const [head, ...rest] = table;
  if (head?.key.length !== 0) throw new FarmError('invalid_argument', `${file} has no header`);
  const header = understood(file, 'the header', () => parseBundleHeader(head.value));
  checkHeader(file, header);
  const tensors = new Map<string, StoredTensor>();
  for (const { key, value } of rest) {
    // The parts of partitioned variables; their names begin with a zero.
    if (key[0] === 0) continue;
    const name = understood(file, 'the name of a tensor', () => UTF8.decode(key));
    const entry = understood(file, `tensor ${name}`, () => parseBundleEntry(value));
    tensors.set(name, tensorOf({ prefix, file, shards: header.shards }, name, entry));
  }
  return tensors;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function checkHeader(file: string, { shards, isLittleEndian, minConsumer }: BundleHeader): void {
  const refuse = (fault: string): never => {
    throw new FarmError('invalid_argument', `${file} ${fault}`);
  };
  if (!isLittleEndian) refuse('was written by a big-endian machine');
  if (minConsumer > READER_VERSION)
    refuse(`asks for a reader of version ${minConsumer}, this is ${READER_VERSION}`);
  if (shards < 1 || shards > MAX_SHARDS)
    refuse(`says it has ${shards} shards, 1 to ${MAX_SHARDS} are possible`);
}

interface BundleFiles {
  readonly prefix: string;
  readonly file: string;
  readonly shards: number;
}

function tensorOf(files: BundleFiles, name: string, entry: BundleEntry): StoredTensor {
  const { shape, shard, offset, bytes, checksum } = entry;
  const isPlace = shard >= 0 && shard < files.shards && [offset, bytes, ...shape].every(isCount);
  if (!isPlace) {
    throw new FarmError(
      'invalid_argument',
      `${files.file}: tensor ${name} [${shape.join(', ')}] is said to be ${bytes} bytes at ${offset} of shard ${shard} of ${files.shards}`,
    );
  }
  const file = shardFile(files.prefix, shard, files.shards);
  const type = TYPES[entry.type] ?? `number ${entry.type}`;
  const verify = (values: Uint8Array): void => {
    const actual = maskChecksum(crc32c(values));
    if (actual === checksum) return;
    throw new FarmError(
      'invalid_argument',
      `${file}: tensor ${name} has the checksum ${actual}, expected ${checksum}`,
    );
  };
  const place = { name, type, shape, file, offset, bytes, verify };
  if (entry.slices > 0) return unreadable(place, `is kept in ${entry.slices} slices, which are not read`);
  return storedTensor(place);
}

function shardFile(prefix: string, shard: number, shards: number): string {
  const digits = (value: number): string => String(value).padStart(5, '0');
  return `${prefix}.data-${digits(shard)}-of-${digits(shards)}`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** What the parsers throw knows nothing of files. */
function understood<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof FarmError) throw cause;
    const fault = cause instanceof Error ? cause.message : String(cause);
    throw new FarmError('invalid_argument', `${file}: ${what} is damaged: ${fault}`, { cause });
  }
}

/** Source: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/types.proto */
const TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'float64',
  3: 'int32',
  4: 'uint8',
  5: 'int16',
  6: 'int8',
  7: 'string',
  8: 'complex64',
  9: 'int64',
  10: 'bool',
  14: 'bfloat16',
  17: 'uint16',
  18: 'complex128',
  19: 'float16',
  20: 'resource',
  21: 'variant',
  22: 'uint32',
  23: 'uint64',
};
