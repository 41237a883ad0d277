import { existsSync } from 'node:fs';
import { FarmError, parseOptions } from '@embedfarm/contract';
import type { z } from 'zod';
import { fileBytes, readFileRange } from './read-file-range.ts';

// The largest is the tokenizer.json of a multilingual model, with 9 MB.
const MAX_JSON_BYTES = 1 << 26;

/**
 * A JSON file by its schema.
 *
 * @throws FarmError `invalid_argument` naming the file and what is broken in it.
 */
export function readJsonFile<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  const bytes = fileBytes(file);
  if (bytes > MAX_JSON_BYTES) {
    throw new FarmError('invalid_argument', `${file} has ${bytes} bytes, limit is ${MAX_JSON_BYTES}`);
  }
  const json = parseJson(file, readFileRange(file, 0, bytes, 'the JSON'));
  return parseOptions(file, schema, json);
}

/** @returns undefined where there is no such file. */
export function readJsonFileIfAny<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): z.output<Schema> | undefined {
  return existsSync(file) ? readJsonFile(file, schema) : undefined;
}

/** @throws FarmError `invalid_argument` naming the file. */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FarmError('invalid_argument', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
