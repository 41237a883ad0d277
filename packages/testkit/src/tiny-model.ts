import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatBertConfig, type BertConfig } from '@embedfarm/checkpoint/bert-config';
import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import { writePackedModel, type PackedModel } from '@embedfarm/checkpoint/packed-model';
import { randomBertWeights } from '@embedfarm/checkpoint/random-bert-weights';
import { sentenceTransformerFiles } from '@embedfarm/checkpoint/sentence-transformer-files';
import { writeOnnxModel } from '@embedfarm/checkpoint/write-onnx-model';
import { plainBertGraph } from '@embedfarm/checkpoint/plain-bert-graph';

export interface TinyModelOptions {
  readonly config?: Partial<BertConfig>;
  readonly seed?: number;
  readonly lowercase?: boolean;
  readonly pooling?: PackedModel['pooling'];
  readonly normalize?: boolean;
  /** As in `PackedModel`. */
  readonly layers?: number;
  readonly poolingLayers?: readonly number[];
  readonly maxSequenceLength?: number;
}

export interface PlainOnnxModelOptions extends Omit<TinyModelOptions, 'layers' | 'poolingLayers'> {
  /** Where the graph lies in the directory: both are in use on the hub. */
  readonly modelFile?: 'model.onnx' | 'onnx/model.onnx';
  /** Whether the graph has an input `token_type_ids`; true by default. */
  readonly tokenTypes?: boolean;
}

/** A model small enough for tests: 2 blocks of 32, 2 heads, the embedded vocabulary, random weights. */
export function tinyModel({ config, seed = 1, ...options }: TinyModelOptions = {}): PackedModel & {
  readonly vocabulary: readonly string[];
} {
  const vocabulary = embeddedVocabulary();
  const full = { ...TINY_CONFIG, vocabularySize: vocabulary.length, ...config };
  return {
    lowercase: true,
    pooling: 'mean',
    normalize: true,
    meaningful: false,
    ...options,
    config: full,
    weights: randomBertWeights(full, seed, { pooler: true }),
    vocabulary,
  };
}

/** `tinyModel` as a packed model directory; returns its absolute path. */
export function writeTinyModel(directory: string, options: TinyModelOptions = {}): Promise<string> {
  return writePackedModel(directory, tinyModel(options));
}

/**
 * The same weights as `tinyModel` in an ordinary Hugging Face export: no `embedfarm.json`, a padded
 * graph with int64 inputs. Returns the directory's absolute path.
 */
export async function writePlainOnnxModel(
  directory: string,
  { modelFile = 'model.onnx', tokenTypes = true, ...options }: PlainOnnxModelOptions = {},
): Promise<string> {
  const target = resolve(directory);
  const model = tinyModel(options);
  const { config, weights, vocabulary } = model;
  const maxSequenceLength = model.maxSequenceLength ?? config.maxPositions;
  const files = {
    'config.json': formatBertConfig(config),
    ...sentenceTransformerFiles({ ...model, dimensions: config.hiddenSize, maxSequenceLength }),
  };
  await mkdir(dirname(join(target, modelFile)), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await writeFile(join(target, path), JSON.stringify(content));
  }
  await writeFile(join(target, 'vocab.txt'), `${vocabulary.join('\n')}\n`);
  await writeOnnxModel(target, plainBertGraph(config, weights, { tokenTypes }), modelFile);
  return target;
}

const TINY_CONFIG: Omit<BertConfig, 'vocabularySize'> = {
  layers: 2,
  hiddenSize: 32,
  heads: 2,
  intermediateSize: 128,
  maxPositions: 512,
  segmentTypes: 2,
  layerNormEpsilon: 1e-12,
  activation: 'gelu',
  padTokenId: 0,
};
