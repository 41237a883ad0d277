import type { BertConfig } from './bert-config.ts';
import { writePackedModel, type PackedModel } from './packed-model.ts';
import { randomBertWeights } from './random-bert-weights.ts';

/** The sizes of well-known encoders: what they cost to run does not depend on their weights. */
export const BERT_SHAPES = {
  tiny: shape(2, 128, 2),
  minilm: shape(6, 384, 12),
  'minilm-l12': shape(12, 384, 12),
  'bert-base': shape(12, 768, 12),
  'bert-large': shape(24, 1024, 16),
} as const satisfies Record<string, Omit<BertConfig, 'vocabularySize'>>;

export type BertShape = keyof typeof BERT_SHAPES;

export interface RandomModelOptions {
  readonly vocabulary: PackedModel['vocabulary'];
  readonly seed: number;
  /** 30,522 by default, that of BERT uncased; the vocabulary may be smaller. */
  readonly vocabularySize?: number;
  readonly lowercase?: boolean;
  readonly pooling?: PackedModel['pooling'];
  readonly normalize?: boolean;
  readonly layers?: number;
  readonly poolingLayers?: readonly number[];
  readonly quantization?: PackedModel['quantization'];
}

const BERT_VOCABULARY_SIZE = 30_522;

/**
 * An untrained model of a known shape, to measure with: exact and repeatable, without a download.
 *
 * @returns the absolute path of the directory.
 */
export function writeRandomModel(
  directory: string,
  name: BertShape,
  { vocabulary, seed, vocabularySize = BERT_VOCABULARY_SIZE, ...options }: RandomModelOptions,
): Promise<string> {
  const config: BertConfig = { ...BERT_SHAPES[name], vocabularySize };
  return writePackedModel(directory, {
    lowercase: true,
    pooling: 'mean',
    normalize: true,
    ...options,
    config,
    vocabulary,
    weights: randomBertWeights(config, seed, { pooler: true }),
    meaningful: false,
  });
}

function shape(layers: number, hiddenSize: number, heads: number): Omit<BertConfig, 'vocabularySize'> {
  return {
    layers,
    hiddenSize,
    heads,
    intermediateSize: 4 * hiddenSize,
    maxPositions: 512,
    segmentTypes: 2,
    layerNormEpsilon: 1e-12,
    activation: 'gelu',
    padTokenId: 0,
  };
}
