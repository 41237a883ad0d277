import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { parseBertConfig, type BertConfig } from './bert-config.ts';
import { bertWeightsOf } from './bert-names.ts';
import type { BertWeights } from './bert-weights.ts';
import { familyOf } from './family/family-of.ts';
import { readJsonFile } from './read-json-file.ts';
import { readSafetensors } from './safetensors.ts';
import { readShardedSafetensors } from './sharded-safetensors.ts';
import type { StoredTensors } from './stored-tensor.ts';
import { readTensorBundle } from './tensor-bundle/bundle.ts';

/** A pretrained encoder on disk, with nothing read yet but its config and the names of its tensors. */
export interface ModelSource {
  readonly format: 'tensor_bundle' | 'safetensors';
  /** Path of the weights; of a tensor bundle the prefix that its files have in common. */
  readonly weightsFile: string;
  readonly config: BertConfig;
  readonly weights: BertWeights;
}

/**
 * The model of a directory as Google or Hugging Face lay it out. Where it holds both, safetensors is taken,
 * unless `checkpoint` names a tensor bundle: its prefix, from the directory on.
 *
 * @throws FarmError `invalid_argument` naming the file that is missing, damaged or not understood.
 */
export function readModelSource(directory: string, checkpoint?: string): ModelSource {
  const { format, weightsFile, tensors } = findWeights(directory, checkpoint);
  const configs = ['config.json', 'bert_config.json'];
  const names = format === 'safetensors' ? configs : configs.toReversed();
  const file = names.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (file === undefined)
    throw new FarmError('invalid_argument', `${directory} has no ${names.join(' and no ')}`);
  const config = readConfig(file);
  const weights = bertWeightsOf(weightsFile, tensors, familyOf(config.modelType));
  return { format, weightsFile, config, weights };
}

interface FoundWeights extends Pick<ModelSource, 'format' | 'weightsFile'> {
  readonly tensors: StoredTensors;
}

function findWeights(directory: string, checkpoint: string | undefined): FoundWeights {
  if (checkpoint !== undefined) return bundle(resolve(directory, checkpoint.replace(/\.index$/, '')));
  const single = join(directory, 'model.safetensors');
  const format = 'safetensors';
  if (existsSync(single)) return { format, weightsFile: single, tensors: readSafetensors(single) };
  const index = `${single}.index.json`;
  if (existsSync(index)) return { format, weightsFile: index, tensors: readShardedSafetensors(index) };
  return bundle(join(directory, onlyBundle(directory)));
}

function bundle(prefix: string): FoundWeights {
  return { format: 'tensor_bundle', weightsFile: prefix, tensors: readTensorBundle(prefix) };
}

const GOOGLE_PREFIX = 'bert_model.ckpt';

function onlyBundle(directory: string): string {
  const files = listFiles(directory);
  const prefixes = files
    .filter((name) => name.endsWith('.index'))
    .map((name) => name.slice(0, -'.index'.length));
  const [first, ...others] = prefixes;
  if (prefixes.includes(GOOGLE_PREFIX)) return GOOGLE_PREFIX;
  if (first !== undefined && others.length === 0) return first;
  const fault = first
    ? `several checkpoints, name one of: ${prefixes.join(', ')}`
    : `no model.safetensors, no model.safetensors.index.json and no ${GOOGLE_PREFIX}.index`;
  const isPickled = files.some((name) => /^pytorch_model.*\.bin$/.test(name));
  const hint = isPickled ? '; its pytorch_model.bin must be saved as safetensors first' : '';
  throw new FarmError('invalid_argument', `${directory} has ${fault}${hint}`);
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch (cause) {
    throw new FarmError('invalid_argument', `${directory} is not a directory that can be read`, { cause });
  }
}

function readConfig(file: string): BertConfig {
  const json = readJsonFile(file, z.unknown());
  try {
    return parseBertConfig(json);
  } catch (cause) {
    if (!(cause instanceof FarmError)) throw cause;
    throw new FarmError(cause.code, `${file}: ${cause.detail}`, { cause });
  }
}
