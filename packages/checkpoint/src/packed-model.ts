import { copyFile, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { formatBertConfig, type BertConfig } from './bert-config.ts';
import { bertGraph, graphLayers, type BertGraphOptions } from './bert-graph.ts';
import type { BertWeights } from './bert-weights.ts';
import { encodeOnnxModel } from './onnx-model.ts';
import { openVocabulary, type PackedVocabulary } from './packed-vocabulary.ts';
import { outputFor, type Pooling } from './pooling.ts';
import type { Quantization } from './quantized-linear.ts';
import { sentenceTransformerFiles } from './sentence-transformer-files.ts';
import { inTemporaryFolder } from './temporary-folder.ts';
import { writeOnnxModel } from './write-onnx-model.ts';

export interface PackedModel {
  readonly config: BertConfig;
  readonly weights: BertWeights;
  readonly vocabulary: PackedVocabulary;
  readonly lowercase: boolean;
  /** Whether accents go; null, the default, is as `lowercase`. */
  readonly stripAccents?: boolean | null;
  /** Whether every Han character is a word of its own; true by default. */
  readonly splitHan?: boolean;
  /** Whether texts are made lower case before the tokenizer sees them; false by default. */
  readonly lowercaseFirst?: boolean;
  /** Whether the tokens of a prompt are pooled; true by default. */
  readonly includePrompt?: boolean;
  /** Further files, by their name in the directory: paths to copy as they are. */
  readonly copies?: ReadonlyMap<string, string>;
  /** A `tokenizer.json` to write, where BERT's WordPiece with [CLS] and [SEP] is not what a vocab.txt means. */
  readonly tokenizerJson?: Readonly<Record<string, unknown>>;
  /** Fields of the tokenizer_config.json, but for the length; those of a BertTokenizer by default. */
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
  /**
   * Decides what the graph gives: `cls` only the first tokens, `cls_pooled` these through the pooler (whose
   * weights it needs), any other all tokens. From all tokens everything can be pooled but `cls_pooled`.
   */
  readonly pooling: Pooling;
  /** Whether vectors have length 1 unless the caller wants otherwise. */
  readonly normalize: boolean;
  /** Encoder blocks to keep at most. Default: up to the highest one that is pooled. */
  readonly layers?: number;
  /** As in `BertGraphOptions`; `cls_pooled` takes none. Default: the last block that is kept. */
  readonly poolingLayers?: readonly number[];
  /** In tokens, special ones included; `config.maxPositions` by default and at most. */
  readonly maxSequenceLength?: number;
  /** Keeps the blocks' matrices in whole numbers (int8). Float32 by default. */
  readonly quantization?: Quantization | undefined;
  /** Writes `observed.onnx` too: the same graph, and the sizes of its channels. */
  readonly observe?: boolean;
  /** False for weights that were never trained: their vectors show speed, not sense. */
  readonly meaningful: boolean;
}

/** The version of `embedfarm.json`. */
export const PACKED_FORMAT = 1;

/**
 * A model directory in the layout of Hugging Face and sentence-transformers, with the packed graph of
 * `bertGraph` as `model.onnx`. It appears whole or not at all; where another process made the same
 * directory meanwhile, that one stays.
 *
 * @returns the absolute path of the directory.
 * @throws FarmError `invalid_argument` when the directory exists already, or the parts do not fit together.
 */
export async function writePackedModel(directory: string, model: PackedModel): Promise<string> {
  const target = resolve(directory);
  if (await exists(target)) throw new FarmError('invalid_argument', `${target} exists already`);
  const { config } = model;
  const hasTokenizerJson = model.tokenizerJson !== undefined || model.copies?.has('tokenizer.json') === true;
  const writeVocabulary = await openVocabulary(model.vocabulary, config, hasTokenizerJson);
  const maxSequenceLength = checkSequenceLength(model.maxSequenceLength ?? config.maxPositions, config);
  const graph = bertGraph(config, model.weights, graphOptions(model));
  const files = {
    'config.json': formatBertConfig(config),
    ...sentenceTransformerFiles({
      ...model,
      dimensions: config.hiddenSize * graphLayers(config, graphOptions(model)).poolingLayers.length,
      maxSequenceLength,
    }),
    ...(model.tokenizerJson && { 'tokenizer.json': model.tokenizerJson }),
  };
  return inNewDirectory(target, async (temporary) => {
    const sha256 = await writeOnnxModel(temporary, graph);
    if (model.observe) await writeObserved(temporary, model);
    const written = { ...files, 'embedfarm.json': { ...embedfarmFile(model), sha256 } };
    for (const [path, content] of Object.entries(written)) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await writeFile(join(temporary, path), `${JSON.stringify(content, null, 2)}\n`);
    }
    await writeVocabulary(temporary);
    for (const [name, path] of model.copies ?? []) await copyFile(path, join(temporary, name));
  });
}

/** Beside `model.onnx`, and with the same tensors. */
export const OBSERVED_FILE = 'observed.onnx';

async function writeObserved(directory: string, model: PackedModel): Promise<void> {
  const graph = bertGraph(model.config, model.weights, { ...graphOptions(model), observe: true });
  await writeFile(join(directory, OBSERVED_FILE), encodeOnnxModel(graph, 'model.onnx.data').bytes);
}

/** What the config.json of Hugging Face has no words for. */
function embedfarmFile(model: PackedModel): Record<string, unknown> {
  const { layers, poolingLayers } = graphLayers(model.config, graphOptions(model));
  return {
    format: PACKED_FORMAT,
    graph: 'packed',
    layers,
    output: outputFor(model.pooling),
    pooling: model.pooling,
    poolingLayers,
    dtype: model.quantization ? 'int8' : 'float32',
    ...(model.quantization ? { weightBits: model.quantization.weightBits } : {}),
    maxPositions: model.config.maxPositions,
    meaningful: model.meaningful,
  };
}

function graphOptions({ pooling, layers, poolingLayers, quantization }: PackedModel): BertGraphOptions {
  return {
    quantization,
    output: outputFor(pooling),
    ...(layers === undefined ? {} : { layers }),
    ...(poolingLayers === undefined ? {} : { poolingLayers }),
  };
}

function checkSequenceLength(length: number, config: BertConfig): number {
  if (Number.isInteger(length) && length >= 2 && length <= config.maxPositions) return length;
  throw new FarmError(
    'invalid_argument',
    `maxSequenceLength must be 2 to ${config.maxPositions} tokens, got ${length}`,
  );
}

/** Fills a directory beside the target, then renames it. */
async function inNewDirectory(target: string, fill: (temporary: string) => Promise<void>): Promise<string> {
  await inTemporaryFolder(target, async (temporary) => {
    await fill(temporary);
    await rename(temporary, target).catch((cause: unknown) => {
      if (!isTaken(cause)) throw cause;
    });
  });
  return target;
}

function isTaken(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
