import { FarmError, MAX_TEXT_BYTES } from '@embedfarm/contract';

/**
 * The lines of a UTF-8 stream, without their ends; an empty line is an empty text, the end of the last line
 * begins no further one.
 *
 * @throws FarmError `invalid_argument` when the bytes are not UTF-8, or a line is longer than any text may be.
 */
export async function readLines(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const lines: string[] = [];
  let rest = '';
  const take = (text: string) => {
    const [first = '', ...others] = text.split('\n');
    rest += first;
    for (const next of others) {
      lines.push(withoutReturn(rest));
      rest = next;
    }
    // A stream without a line's end is not read into memory. A UTF-16 unit takes at least one byte; one may be \r.
    if (rest.length > MAX_TEXT_BYTES + 1) {
      throw new FarmError(
        'invalid_argument',
        `${name}: line ${lines.length + 1} has more than ${MAX_TEXT_BYTES} bytes`,
      );
    }
  };
  try {
    for await (const bytes of stream) {
      take(typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true }));
    }
    take(decoder.decode());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new FarmError('invalid_argument', `${name} is not UTF-8, after line ${lines.length}`, { cause });
  }
  if (rest !== '') lines.push(withoutReturn(rest));
  return lines;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
