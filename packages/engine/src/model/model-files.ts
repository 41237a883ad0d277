import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FarmError, parseOptions } from '@embedfarm/contract';
import type { z } from 'zod';
import { isFile } from './is-file.ts';

/** Where the parts of a model stand, in Hugging Face / sentence-transformers layout. */
export interface ModelFiles {
  readonly directory: string;
  /** model.onnx, or onnx/model.onnx. */
  readonly graph: string;
  /** tokenizer.json is taken before vocab.txt. */
  readonly tokenizer: { readonly kind: 'json' | 'vocabulary'; readonly path: string };
}

/** @throws FarmError `invalid_argument` naming the file that is missing. */
export async function findModelFiles(directory: string): Promise<ModelFiles> {
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new FarmError('invalid_argument', `model ${directory} is not a directory`);
  }
  const graph = await firstOf(directory, ['model.onnx', join('onnx', 'model.onnx')]);
  const tokenizer = await firstOf(directory, ['tokenizer.json', 'vocab.txt']);
  const kind = tokenizer.endsWith('.json') ? 'json' : 'vocabulary';
  return { directory, graph, tokenizer: { kind, path: tokenizer } };
}

async function firstOf(directory: string, names: readonly string[]): Promise<string> {
  for (const name of names) {
    const path = join(directory, name);
    if (await isFile(path)) return path;
  }
  throw new FarmError('invalid_argument', `model ${directory} has no ${names.join(' and no ')}`);
}

/**
 * A JSON file of the model by its schema.
 *
 * @returns undefined where there is no such file.
 * @throws FarmError `invalid_argument` naming the file and what is broken in it.
 */
export async function readModelJson<Schema extends z.ZodType>(
  directory: string,
  name: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const path = join(directory, name);
  if (!(await isFile(path))) return undefined;
  return parseOptions(path, schema, parseJson(path, await readFile(path, 'utf8')));
}

/** @throws FarmError `invalid_argument` naming the file. */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FarmError('invalid_argument', `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

export function missingFile(directory: string, name: string): FarmError {
  return new FarmError('invalid_argument', `model ${directory} has no ${name}`);
}
