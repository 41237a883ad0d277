import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { findExternalData } from './external-data.ts';
import type { ModelSpec } from './model-spec.ts';

/**
 * SHA-256 (hex) over what decides a vector: graph, weights, tokenizer, casing, layers, pooling, normalize,
 * maximal length and dtype. Equal for equal files wherever they stand.
 */
export async function fingerprintModel(spec: ModelSpec): Promise<string> {
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify({
      version: 1,
      graph: spec.graph,
      layers: spec.layers,
      pooling: spec.pooling,
      poolingLayers: spec.poolingLayers,
      maskClsSep: spec.maskClsSep,
      normalize: spec.normalize,
      maxSequenceLength: spec.maxSequenceLength,
      tokenizer: spec.files.tokenizer.kind,
      casing: spec.files.tokenizer.kind === 'vocabulary' ? spec.casing : spec.lowercaseWish,
      dtype: 'float32',
    }),
  );
  const data = await findExternalData(spec.files.graph);
  for (const path of [spec.files.graph, ...data, spec.files.tokenizer.path]) {
    hash.update(`\0${await hashFile(path)}`);
  }
  return hash.digest('hex');
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
