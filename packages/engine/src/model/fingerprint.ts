import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { findExternalData } from './external-data.ts';
import type { FileHashes } from './file-hashes.ts';
import type { ModelSpec } from './model-spec.ts';

/** SHA-256 (hex) of the files that decide a vector. */
export interface ModelHashes {
  readonly graph: string;
  /** Files beside the graph that hold its large tensors, sorted by path. */
  readonly data: readonly { readonly path: string; readonly sha256: string }[];
  readonly tokenizer: string;
}

/**
 * @throws FarmError `invalid_argument` naming a file that is damaged: its bytes are not those that its
 *   directory was written with.
 */
export async function hashModel(spec: ModelSpec, fileHashes: FileHashes): Promise<ModelHashes> {
  const hash = (path: string): Promise<string> => fileHashes.of(path, spec.sha256[basename(path)]);
  const paths = await findExternalData(spec.files.graph);
  return {
    graph: await hash(spec.files.graph),
    data: await Promise.all(paths.map(async (path) => ({ path, sha256: await hash(path) }))),
    tokenizer: await fileHashes.of(spec.files.tokenizer.path),
  };
}

/**
 * SHA-256 (hex) over what decides a vector: graph, weights, tokenizer, casing, layers, pooling, normalize,
 * prompts, maximal length and dtype. Equal for equal files wherever they stand.
 */
export function fingerprintModel(spec: ModelSpec, hashes: ModelHashes): string {
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify({
      version: 1,
      graph: spec.graph,
      layers: spec.layers,
      tokenTypes: spec.tokenTypes,
      pooling: spec.pooling,
      poolingLayers: spec.poolingLayers,
      maskClsSep: spec.maskClsSep,
      normalize: spec.normalize,
      maxSequenceLength: spec.maxSequenceLength,
      tokenizer: spec.files.tokenizer.kind,
      casing: spec.files.tokenizer.kind === 'vocabulary' ? spec.casing : spec.lowercaseWish,
      lowercaseFirst: spec.lowercaseFirst,
      prompts: Object.entries(spec.prompts.prompts).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      defaultPromptName: spec.prompts.defaultPromptName,
      includePrompt: spec.includePrompt,
      dtype: spec.dtype,
    }),
  );
  const files = [hashes.graph, ...hashes.data.map(({ sha256 }) => sha256), hashes.tokenizer];
  for (const sha256 of files) hash.update(`\0${sha256}`);
  return hash.digest('hex');
}
