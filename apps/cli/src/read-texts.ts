import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import type { EncodeText } from '@embedfarm/sdk';
import { encodeText, type TextForm } from './encode-texts.ts';
import { streamLines } from './read-lines.ts';

/** How a file holds texts: a line each, or a JSON value a line. */
export type TextsFormat = 'lines' | 'jsonl';

/** By the name of the file. */
export function textsFormat(file: string): TextsFormat {
  return ['.jsonl', '.ndjson'].includes(extname(file)) ? 'jsonl' : 'lines';
}

/**
 * The texts of a file as they are read, so that a large one takes no memory. A line of JSONL is a text (a string, a
 * pair, a list of tokens), or an object that has it under `text`.
 *
 * @param file a path; `-` is stdin.
 * @throws FarmError `invalid_argument` naming the file and line.
 */
export async function* readTexts(
  file: string,
  format: TextsFormat,
  form: TextForm,
): AsyncGenerator<EncodeText> {
  const name = file === '-' ? 'stdin' : file;
  let line = 0;
  try {
    const stream = file === '-' ? process.stdin : createReadStream(file);
    for await (const text of streamLines(stream, name)) {
      line += 1;
      if (format === 'lines') yield encodeText(text, form);
      else if (text.trim() !== '') yield parseLine(text, `${name}: line ${line}`);
    }
  } catch (cause) {
    if (cause instanceof FarmError) throw cause;
    throw new FarmError('invalid_argument', `cannot read ${name}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The same texts, after the first one was read: a file that is none is told of before anything else is done.
 *
 * @throws FarmError as readTexts; `invalid_argument` for a file without texts.
 */
export async function peekTexts(
  texts: AsyncGenerator<EncodeText>,
  file: string,
): Promise<AsyncIterable<EncodeText>> {
  const first = await texts.next();
  if (first.done === true) throw new FarmError('invalid_argument', `${file} holds no texts`);
  return chain(first.value, texts);
}

async function* chain(first: EncodeText, rest: AsyncGenerator<EncodeText>): AsyncGenerator<EncodeText> {
  yield first;
  yield* rest;
}

/** What is no text is refused by the farm, which knows the options. */
function parseLine(line: string, name: string): EncodeText {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new FarmError('invalid_argument', `${name} is not JSON`, { cause });
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return value as EncodeText;
  if (Object.hasOwn(value as object, 'text')) return (value as { text: EncodeText }).text;
  throw new FarmError('invalid_argument', `${name} is an object without "text"`);
}
