import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FarmError } from '@embedfarm/contract';

// One call of read(2) takes less than 2 GiB.
const MAX_READ_BYTES = 1 << 30;

// More than the largest table of words needs, and still one buffer in memory.
const MAX_RANGE_BYTES = 2 ** 32 - 1;

/**
 * A part of a file, in a buffer of its own. Nothing is allocated before the file is known to be as long.
 *
 * @param what names the part in errors.
 * @throws FarmError `invalid_argument` naming file and part when the file ends before, or cannot be read.
 */
export function readFileRange(
  file: string,
  offset: number,
  bytes: number,
  what: string,
): Uint8Array<ArrayBuffer> {
  const handle = openRegular(file, what);
  try {
    const { size } = fstatSync(handle);
    if (offset < 0 || bytes < 0 || offset + bytes > size) {
      throw new FarmError(
        'invalid_argument',
        `${file}: ${what} is said to be bytes ${offset} to ${offset + bytes}, the file has ${size}`,
      );
    }
    if (bytes > MAX_RANGE_BYTES) {
      throw new FarmError(
        'invalid_argument',
        `${file}: ${what} has ${bytes} bytes, limit is ${MAX_RANGE_BYTES}`,
      );
    }
    return readFully(handle, offset, new Uint8Array(bytes));
  } catch (cause) {
    if (cause instanceof FarmError) throw cause;
    throw new FarmError('invalid_argument', `${file}: ${what} cannot be read: ${String(cause)}`, { cause });
  } finally {
    closeSync(handle);
  }
}

/** @throws FarmError `invalid_argument` naming the file when it is missing, or longer than `maxBytes`. */
export function readWholeFile(file: string, maxBytes: number, what: string): Uint8Array<ArrayBuffer> {
  const bytes = fileBytes(file);
  if (bytes <= maxBytes) return readFileRange(file, 0, bytes, what);
  throw new FarmError('invalid_argument', `${file} has ${bytes} bytes, limit is ${maxBytes}`);
}

/** @throws FarmError `invalid_argument` naming the file when it is not there. */
export function fileBytes(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile()) return found.size;
  throw new FarmError('invalid_argument', `${file} is ${found ? 'not a file' : 'missing'}`);
}

function openRegular(file: string, what: string): number {
  // To open a pipe would wait for its other end.
  fileBytes(file);
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new FarmError('invalid_argument', `${file} cannot be opened for ${what}`, { cause });
  }
}

function readFully(handle: number, offset: number, target: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let end = 0;
  while (end < target.length) {
    const wanted = Math.min(target.length - end, MAX_READ_BYTES);
    const got = readSync(handle, target, end, wanted, offset + end);
    if (got === 0) throw new Error('the file became shorter meanwhile');
    end += got;
  }
  return target;
}
