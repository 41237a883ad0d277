import { FarmError, MAX_TEXT_BYTES } from '@embedfarm/contract';

const MAX_LINE_LENGTH = MAX_TEXT_BYTES + 1;

/**
 * The lines of a UTF-8 stream, without their ends, as they come; an empty line is an empty text, the end of the last
 * line begins no further one.
 *
 * @throws FarmError `invalid_argument` when the bytes are not UTF-8, or a line is longer than any text may be.
 */
export async function* streamLines(
  stream: AsyncIterable<Uint8Array | string>,
  name: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 0;
  let rest = '';
  try {
    for await (const bytes of stream) {
      const parts = (typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })).split('\n');
      rest += parts[0] ?? '';
      for (const next of parts.slice(1)) {
        lines += 1;
        yield withoutReturn(rest);
        rest = next;
      }
      // A stream without a line's end is not read into memory. A UTF-16 unit takes at least one byte; one may be \r.
      if (rest.length > MAX_LINE_LENGTH) {
        throw new FarmError(
          'invalid_argument',
          `${name}: line ${lines + 1} has more than ${MAX_TEXT_BYTES} bytes`,
        );
      }
    }
    rest += decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new FarmError('invalid_argument', `${name} is not UTF-8, after line ${lines}`, { cause });
  }
  if (rest !== '') yield withoutReturn(rest);
}

/** All of them. @throws as streamLines. */
export async function readLines(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of streamLines(stream, name)) lines.push(line);
  return lines;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
