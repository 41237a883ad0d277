import { existsSync } from 'node:fs';
import { FarmError, parseOptions } from '@embedfarm/contract';
import type { z } from 'zod';
import { readWholeFile } from './read-file-range.ts';

// Configs have some KB. 4 MB of nothing but brackets cost 200 MB to parse.
const MAX_JSON_BYTES = 1 << 22;

/**
 * A JSON file by its schema.
 *
 * @throws FarmError `invalid_argument` naming the file and what is broken in it.
 */
export function readJsonFile<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  maxBytes = MAX_JSON_BYTES,
): z.output<Schema> {
  return parseOptions(file, schema, parseJson(file, readWholeFile(file, maxBytes, 'the JSON')));
}

/** @returns undefined where there is no such file. */
export function readJsonFileIfAny<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  maxBytes = MAX_JSON_BYTES,
): z.output<Schema> | undefined {
  return existsSync(file) ? readJsonFile(file, schema, maxBytes) : undefined;
}

/** @throws FarmError `invalid_argument` naming the file. */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FarmError('invalid_argument', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
