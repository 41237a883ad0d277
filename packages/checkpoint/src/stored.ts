import { FarmError } from '@embedfarm/contract';

/**
 * What writes to a disk.
 *
 * @throws FarmError `invalid_argument` naming the place, with the limit where it is one; what is no fault of the
 *   disk as it comes.
 */
export async function stored<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof Error && 'syscall' in cause ? storageError(place, cause) : cause;
  }
}

export function storageError(place: string, cause: unknown): FarmError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = FULL[code ?? ''] ?? message;
  return new FarmError('invalid_argument', `${place} cannot be kept: ${reason}`, { cause });
}

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full (ENOSPC)',
  EDQUOT: 'the quota of the disk is used up (EDQUOT)',
  EFBIG: 'the file is larger than the disk takes (EFBIG)',
};
