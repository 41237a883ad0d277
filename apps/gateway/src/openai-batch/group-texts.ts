import { FarmError, type EncodeText } from '@embedfarm/contract';
import { inputLines } from './input-lines.ts';
import type { LineEntry } from './line-index.ts';
import { readCall, readLine } from './read-line.ts';

/**
 * The texts of a group's lines, in their order: the input is read along with its index.
 *
 * @throws FarmError `internal` where the input is not the one that was checked.
 */
export async function* groupTexts(
  slices: AsyncIterable<Buffer>,
  entries: AsyncIterable<LineEntry>,
): AsyncGenerator<EncodeText> {
  const lines = inputLines(slices);
  for await (const [line, customId, texts] of entries) {
    let found: Awaited<ReturnType<typeof lines.next>>;
    do found = await lines.next();
    while (found.done !== true && found.value.line < line);
    if (found.done === true) throw changed(line);
    const read = readLine(found.value);
    const call = readCall(read);
    if (read.custom_id !== customId || call.texts.length !== texts) throw changed(line);
    yield* call.texts;
  }
}

function changed(line: number): FarmError {
  return new FarmError('internal', `line ${line} of the input is not what it was when it was checked`);
}
