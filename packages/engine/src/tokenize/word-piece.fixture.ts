import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Tokenizers from 'tokenizers';
import type { Casing, ModelSpec } from '../model/model-spec.ts';
import { loadTokenizer } from './load-tokenizer.ts';
import { openWordPiece } from './open-word-piece.ts';
import type { WordPiece } from './word-piece.ts';

export const UNCASED: Casing = { lowercase: true, stripAccents: true, splitHan: true };
export const CASED: Casing = { lowercase: false, stripAccents: false, splitHan: true };

/** A tokenizer of the library, and the fast path for it. */
export interface BothWays {
  readonly native: Tokenizers.Tokenizer;
  readonly fast: WordPiece;
}

/** The spec of a model with another tokenizer file, which is written. */
export async function specWith(
  spec: ModelSpec,
  file: { readonly path: string; readonly content: string },
  casing: Casing = UNCASED,
): Promise<ModelSpec> {
  await writeFile(file.path, file.content);
  const kind = file.path.endsWith('.json') ? 'json' : 'vocabulary';
  const tokenizer = { kind, path: file.path } as const;
  const limits = { vocabularySize: 1_000_000, maxSequenceLength: 100_000 };
  return { ...spec, ...limits, casing, files: { ...spec.files, tokenizer } };
}

/** @throws Error where the fast path is not for this tokenizer. */
export async function openBothWays(spec: ModelSpec): Promise<BothWays> {
  const native = await loadTokenizer(spec);
  const fast = await openWordPiece(spec, native);
  if (!fast) throw new Error(`no fast path for ${spec.files.tokenizer.path}`);
  return { native, fast };
}

export async function nativeIds(native: Tokenizers.Tokenizer, texts: readonly string[]): Promise<number[][]> {
  const encodings = await native.encodeBatch([...texts], { addSpecialTokens: false });
  return encodings.map((encoding) => encoding.getIds());
}

/** A file of the reference data, where it lies beside the project. */
export const shared = (path: string): string => join(import.meta.dirname, '../../../../../shared/data', path);
