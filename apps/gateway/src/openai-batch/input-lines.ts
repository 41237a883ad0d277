import { FarmError } from '@embedfarm/contract';
import { MAX_LINE_BYTES } from './batch-limits.ts';

const NEWLINE = 0x0a;

export interface InputLine {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly bytes: Buffer;
}

/**
 * The lines of a file that comes in slices; those of nothing but white space are left out.
 *
 * @throws FarmError `invalid_argument` for a line that is too long.
 */
export async function* inputLines(slices: AsyncIterable<Buffer>): AsyncGenerator<InputLine> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = 0;
  const grow = (part: Buffer): void => {
    rest.push(part);
    restBytes += part.length;
    if (restBytes <= MAX_LINE_BYTES) return;
    throw new FarmError(
      'invalid_argument',
      `line ${line + 1} has more than ${MAX_LINE_BYTES} bytes, the limit`,
    );
  };
  const take = (): InputLine | undefined => {
    const bytes = rest.length === 1 ? rest[0] : Buffer.concat(rest);
    [rest, restBytes] = [[], 0];
    line += 1;
    return bytes === undefined || isBlank(bytes) ? undefined : { line, bytes };
  };
  for await (const slice of slices) {
    let from = 0;
    for (let at = slice.indexOf(NEWLINE); at !== -1; at = slice.indexOf(NEWLINE, from)) {
      grow(slice.subarray(from, at));
      from = at + 1;
      const one = take();
      if (one) yield one;
    }
    if (from < slice.length) grow(slice.subarray(from));
  }
  const last = take();
  if (last) yield last;
}

function isBlank(bytes: Buffer): boolean {
  // Space, tab, return: what JSON has between its values.
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
