import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import type * as Tokenizers from 'tokenizers';
import type { Casing, ModelSpec } from '../model/model-spec.ts';
import { loadTokenizer } from './load-tokenizer.ts';
import { openWordPiece } from './open-word-piece.ts';
import { Tokenizer } from './tokenizer.ts';
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

/** Token ids by the whole tokenizer, without the special tokens around each text. */
export async function idsOf(spec: ModelSpec, texts: readonly string[]): Promise<number[][]> {
  const tokenizer = await Tokenizer.open(spec);
  const all: number[][] = [];
  for await (const part of tokenizer.tokenize(texts, 'error')) {
    for (const text of part) {
      if (text instanceof FarmError) throw text;
      all.push([...text.ids].slice(1, -1));
    }
  }
  return all;
}

/** The tokens of a text, by a vocabulary of these tokens. The file of the vocabulary is written to `path`. */
export async function tokensOf(
  spec: ModelSpec,
  vocabulary: { readonly path: string; readonly tokens: readonly string[]; readonly casing?: Casing },
  text: string,
): Promise<string[]> {
  const { path, casing } = vocabulary;
  const tokens = [...new Set([...vocabulary.tokens, '[UNK]', '[CLS]', '[SEP]'])];
  const [ids = []] = await idsOf(await specWith(spec, { path, content: tokens.join('\n') }, casing), [text]);
  return ids.map((id) => tokens[id] ?? `${id}`);
}

/** A file of the reference data, where it lies beside the project. */
export const shared = (path: string): string => join(import.meta.dirname, '../../../../../shared/data', path);
