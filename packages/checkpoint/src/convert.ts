import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { graphLayers } from './bert-graph.ts';
import { bertWeightShapes, poolerWeightShapes, type BertWeights, type WeightTensor } from './bert-weights.ts';
import { familyOf } from './family/family-of.ts';
import { ownName, type TensorNames } from './family/tensor-names.ts';
import { readModelSource, type ModelSource } from './model-source.ts';
import { writePackedModel } from './packed-model.ts';
import { outputFor, POOLINGS, type Pooling } from './pooling.ts';
import type { Quantization } from './quantized-linear.ts';
import { PROMPTS_FILE } from './sentence-prompts.ts';
import { isKnownToSentenceTransformers } from './sentence-transformer-files.ts';
import { readSentenceTransformer } from './sentence-transformer-source.ts';
import { readTokenizer, type CasingSource } from './tokenizer-source.ts';

export const convertOptionsSchema = z.strictObject({
  /** Encoder blocks to keep at most. Default: up to the highest one that is pooled. */
  layers: z.int().min(1).optional(),

  /**
   * Blocks whose states are pooled, side by side in this order: 0 is the first block, -1 the last. bert-as-service
   * takes -2. `cls_pooled` takes the last. Default: the last one kept.
   */
  poolingLayers: z.array(z.int()).min(1).max(64).readonly().optional(),

  /** Hidden states to one vector. Default: what the model's `1_Pooling/config.json` says, else `mean`. */
  pooling: z.enum(POOLINGS).optional(),

  /** Vectors of length 1. Default: whether the model's modules.json names Normalize; true without one. */
  normalize: z.boolean().optional(),

  /** Longest sequence in tokens, special ones included: the rest is cut. Default and most: what the model takes. */
  maxSequenceLength: z.int().min(3).max(65_536).optional(),

  /** Whether texts are made lower case. Default: by the tokenizer's files, the model's name, its vocabulary. */
  lowercase: z.boolean().optional(),

  /** Prefix of a TensorFlow checkpoint, from the model's directory on: `bert_model.ckpt`. */
  checkpoint: z.string().min(1).optional(),
});

export interface ConvertOptions extends z.input<typeof convertOptionsSchema> {
  /** Called after each tensor, once a name. */
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
  /** Keeps the blocks' matrices in whole numbers (int8). Left out, all stays float32. */
  readonly quantization?: Quantization | undefined;
  /** Writes the graph that gives the sizes of channels, too: see `PackedModel`. */
  readonly observe?: boolean;
}

export interface ConvertProgress {
  readonly tensor: string;
  readonly done: number;
  readonly total: number;
}

export interface ConvertedModel {
  /** Absolute path of the packed model. */
  readonly directory: string;
  readonly format: ModelSource['format'];
  readonly weightsFile: string;
  /** Encoder blocks in the graph. */
  readonly layers: number;
  /** Those that are pooled, counted from 0. */
  readonly poolingLayers: readonly number[];
  /** Of a vector. */
  readonly dimensions: number;
  readonly maxSequenceLength: number;
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly lowercase: boolean;
  readonly casingFrom: CasingSource;
}

/**
 * A pretrained encoder (a BERT as Google's TensorFlow checkpoint, or a BERT, RoBERTa, XLM-RoBERTa, DistilBERT
 * or MPNet as safetensors, as Hugging Face and sentence-transformers lay them out) as a packed model directory. One tensor at a time is in memory.
 * The directory appears whole or not at all.
 *
 * @throws FarmError `invalid_argument` naming the file or tensor that is missing, damaged, of another shape
 *   or not finite; `cancelled` when the signal aborts.
 */
export async function convertModel(
  source: string,
  out: string,
  { onProgress, signal, quantization, observe = false, ...options }: ConvertOptions = {},
): Promise<ConvertedModel> {
  const wishes = parseOptions('convert options', convertOptionsSchema, options);
  const sentence = readSentenceTransformer(resolve(source), wishes.pooling);
  const { config, weights, format, weightsFile } = readModelSource(
    sentence.encoderDirectory,
    wishes.checkpoint,
  );
  const family = familyOf(config.modelType);
  const tokenizer = readTokenizer(sentence.encoderDirectory, {
    name: basename(resolve(source)),
    family,
    lowercase: wishes.lowercase,
  });
  const lowercaseFirst = sentence.lowercase && !tokenizer.lowercase && wishes.lowercase === undefined;
  const { pooling, includePrompt } = sentence;
  if (!includePrompt && !isKnownToSentenceTransformers(pooling)) {
    throw new FarmError(
      'invalid_argument',
      `${source} leaves prompts out of pooling (include_prompt is false), which pooling ${pooling} does not`,
    );
  }
  const { normalize = sentence.normalize } = wishes;
  const limits = [config.maxPositions, sentence.maxSequenceLength, tokenizer.maxSequenceLength];
  const limit = Math.min(...limits.filter((one) => one !== undefined));
  const { maxSequenceLength = limit } = wishes;
  if (maxSequenceLength > limit) {
    throw new FarmError(
      'invalid_argument',
      `maxSequenceLength is ${maxSequenceLength}, the model takes ${limit} tokens`,
    );
  }
  const cut = {
    ...(wishes.layers !== undefined && { layers: wishes.layers }),
    ...(wishes.poolingLayers && { poolingLayers: wishes.poolingLayers }),
  };
  const output = outputFor(pooling);
  const { layers, poolingLayers } = graphLayers(config, { ...cut, output });
  const needed = [...bertWeightShapes(config, layers).keys()];
  if (output === 'pooled') needed.push(...poolerWeightShapes(config).keys());
  const directory = await writePackedModel(out, {
    ...tokenizer,
    ...cut,
    config,
    weights: watched(weights, { total: needed.length, names: family.tensorNames, onProgress, signal }),
    pooling,
    normalize,
    lowercaseFirst,
    includePrompt,
    copies: new Map([...tokenizer.copies, ...promptsOf(resolve(source))]),
    maxSequenceLength,
    quantization,
    observe,
    meaningful: true,
  });
  const { casingFrom } = tokenizer;
  const lowercase = tokenizer.lowercase || lowercaseFirst;
  const dimensions = config.hiddenSize * poolingLayers.length * (pooling === 'mean_max' ? 2 : 1);
  const shape = { layers, poolingLayers, dimensions, maxSequenceLength, pooling, normalize };
  return { directory, format, weightsFile, ...shape, lowercase, casingFrom };
}

/** The file as it is: the prompts, and what else sentence-transformers knows of the model. */
function promptsOf(source: string): [string, string][] {
  const file = join(source, PROMPTS_FILE);
  return existsSync(file) ? [[PROMPTS_FILE, file]] : [];
}

interface Watch {
  readonly total: number;
  /** By which a tensor is told of. */
  readonly names: TensorNames;
  readonly onProgress: ConvertOptions['onProgress'] | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The same weights; to read one can be cancelled, is reported, and fails where a value is not finite. */
function watched(weights: BertWeights, { total, names, onProgress, signal }: Watch): BertWeights {
  const done = new Set<string>();
  const watch = ([name, { shape, read }]: [string, WeightTensor]): [string, WeightTensor] => [
    name,
    {
      shape,
      read: () => {
        if (signal?.aborted)
          throw new FarmError('cancelled', 'the conversion was cancelled', { cause: signal.reason });
        const values = read();
        const own = ownName(names, name);
        checkFinite(own, values);
        if (!done.has(name)) onProgress?.({ tensor: own, done: done.add(name).size, total });
        return values;
      },
    },
  ];
  return new Map([...weights].map(watch));
}

function checkFinite(name: string, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  throw new FarmError(
    'invalid_argument',
    `tensor ${name} holds ${values[at]} at ${at}: its vectors would be no numbers`,
  );
}
