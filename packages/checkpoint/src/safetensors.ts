import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { fileBytes, readFileRange } from './read-file-range.ts';
import { parseJson } from './read-json-file.ts';
import { storedTensor, type StoredTensor, type StoredTensors } from './stored-tensor.ts';

// The format's own limit is 100 MB; a BERT-large has 50 KB. JSON of 4 MB can cost 200 MB to parse.
const MAX_HEADER_BYTES = 1 << 22;
const LENGTH_BYTES = 8;

/**
 * The tensors of a safetensors file: the length of a JSON header, the header, the values. Only the header is
 * read; a tensor is read whenever it is asked for. Types that are not read are listed, and throw then.
 *
 * @throws FarmError `invalid_argument` naming the file, and the tensor, that breaks the format.
 *
 * Source: https://github.com/huggingface/safetensors (README, "Format")
 */
export function readSafetensors(file: string): StoredTensors {
  const size = fileBytes(file);
  const start = LENGTH_BYTES + headerBytes(file, size);
  const bytes = readFileRange(file, LENGTH_BYTES, start - LENGTH_BYTES, 'the header');
  const header = parseOptions(file, headerSchema, parseJson(`${file}: the header`, bytes));
  const tensors = new Map<string, StoredTensor>();
  let end = 0;
  for (const [name, entry] of inFileOrder(file, header)) {
    const [from, to] = entry.data_offsets;
    // The format wants every byte of the values in exactly one tensor.
    if (from !== end || to < from || to > size - start) {
      throw new FarmError(
        'invalid_argument',
        `${file}: tensor ${name} is said to be bytes ${from} to ${to} of ${size - start}, the one before ends at ${end}`,
      );
    }
    end = to;
    const type = TYPES[entry.dtype] ?? entry.dtype;
    const place = { name, type, shape: entry.shape, file, offset: start + from, bytes: to - from };
    tensors.set(name, storedTensor(place));
  }
  if (end === size - start) return tensors;
  throw new FarmError(
    'invalid_argument',
    `${file}: its tensors end at ${end}, its values at ${size - start}`,
  );
}

function headerBytes(file: string, size: number): number {
  const length = Buffer.from(
    readFileRange(file, 0, LENGTH_BYTES, 'the length of the header'),
  ).readBigUInt64LE();
  const limit = Math.min(size - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (length <= limit) return Number(length);
  throw new FarmError(
    'invalid_argument',
    `${file}: the header is said to have ${length} bytes, limit is ${limit}`,
  );
}

type Entry = z.output<typeof entrySchema>;

function inFileOrder(file: string, header: object): [string, Entry][] {
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]): [string, Entry] => [
      name,
      parseOptions(`${file}: tensor ${name}`, entrySchema, entry),
    ])
    .toSorted(([, left], [, right]) => compareOffsets(left.data_offsets, right.data_offsets));
}

function compareOffsets(left: readonly [number, number], right: readonly [number, number]): number {
  return left[0] - right[0] || left[1] - right[1];
}

const headerSchema = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'the header must be an object',
);

const count = z.int().min(0);
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});

const TYPES: Readonly<Record<string, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
  I32: 'int32',
  I64: 'int64',
};
