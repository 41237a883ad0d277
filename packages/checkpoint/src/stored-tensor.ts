import { FarmError } from '@embedfarm/contract';
import type { WeightTensor } from './bert-weights.ts';
import { ELEMENT_BYTES, floatsOf, type ElementType } from './element-types.ts';
import { readFileRange } from './read-file-range.ts';

/** A tensor of a file. Only its place is known until `read` is called. */
export interface StoredTensor extends WeightTensor {
  /** Its element type as the file names it. */
  readonly type: string;
  /** The file that holds its values. */
  readonly file: string;
}

/** Tensors by the names that the file gives them. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** What a file says of one of its tensors. */
export interface TensorPlace {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly file: string;
  /** In bytes from the begin of the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Throws when the bytes are not those that were written. */
  readonly verify?: (bytes: Uint8Array) => void;
}

/**
 * `read` throws FarmError `invalid_argument` naming file and tensor when the values are not there, damaged,
 * or of a type that is not read.
 *
 * @throws FarmError `invalid_argument` when shape and bytes disagree.
 */
export function storedTensor(place: TensorPlace): StoredTensor {
  const { name, type, shape, file } = place;
  if (!isElementType(type)) return unreadable(place, `has elements of type ${type}, ${READABLE} can be read`);
  const expected = shape.reduce((size, dim) => size * dim, ELEMENT_BYTES[type]);
  if (!Number.isSafeInteger(expected) || expected !== place.bytes) {
    throw new FarmError(
      'invalid_argument',
      `${file}: tensor ${name} is ${type} [${shape.join(', ')}], that is ${expected} bytes, but ${place.bytes} are kept`,
    );
  }
  const read = (): Float32Array => {
    const bytes = readFileRange(file, place.offset, place.bytes, `tensor ${name}`);
    place.verify?.(bytes);
    return floatsOf(type, bytes);
  };
  return { type, shape, file, read };
}

/** A tensor that may stand in the file as long as nobody wants it. */
export function unreadable({ name, type, shape, file }: TensorPlace, fault: string): StoredTensor {
  const read = (): Float32Array => {
    throw new FarmError('invalid_argument', `${file}: tensor ${name} ${fault}`);
  };
  return { type, shape, file, read };
}

const READABLE = Object.keys(ELEMENT_BYTES).join(', ');

function isElementType(type: string): type is ElementType {
  return Object.hasOwn(ELEMENT_BYTES, type);
}
