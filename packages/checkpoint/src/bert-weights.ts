import { FarmError } from '@embedfarm/contract';
import type { BertConfig } from './bert-config.ts';
import { familyOf } from './family/family-of.ts';
import { ownName } from './family/tensor-names.ts';

export interface WeightTensor {
  readonly shape: readonly number[];
  /** Row-major float32. May read a file or compute: call it once, and drop what it gave. */
  readonly read: () => Float32Array;
}

/**
 * Tensors by the name of Hugging Face's BERT, whatever the family calls them (`ownName`); a linear layer's
 * weight has the shape [out, in].
 */
export type BertWeights = ReadonlyMap<string, WeightTensor>;

/** Every tensor of the encoder and its shape, in the order of the forward pass. */
export function bertWeightShapes(config: BertConfig, layers = config.layers): Map<string, number[]> {
  const { hiddenSize: hidden, intermediateSize: intermediate } = config;
  const { firstPosition = 0, segmentTypes, distanceBuckets = 0 } = config;
  const shapes = new Map<string, number[]>([
    ['embeddings.word_embeddings.weight', [config.vocabularySize, hidden]],
    ['embeddings.position_embeddings.weight', [firstPosition + config.maxPositions, hidden]],
  ]);
  if (segmentTypes > 0) shapes.set('embeddings.token_type_embeddings.weight', [segmentTypes, hidden]);
  const linear = (name: string, outputs: number, inputs: number): void => {
    shapes.set(`${name}.weight`, [outputs, inputs]).set(`${name}.bias`, [outputs]);
  };
  const layerNorm = (name: string): void => {
    shapes.set(`${name}.weight`, [hidden]).set(`${name}.bias`, [hidden]);
  };
  layerNorm('embeddings.LayerNorm');
  if (distanceBuckets > 0)
    shapes.set('encoder.relative_attention_bias.weight', [distanceBuckets, config.heads]);
  for (let layer = 0; layer < layers; layer += 1) {
    const block = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${block}.attention.self.${part}`, hidden, hidden);
    linear(`${block}.attention.output.dense`, hidden, hidden);
    layerNorm(`${block}.attention.output.LayerNorm`);
    linear(`${block}.intermediate.dense`, intermediate, hidden);
    linear(`${block}.output.dense`, hidden, intermediate);
    layerNorm(`${block}.output.LayerNorm`);
  }
  return shapes;
}

/** The linear layer behind the encoder: only pooling by `cls_pooled` needs it. */
export function poolerWeightShapes({ hiddenSize }: BertConfig): Map<string, number[]> {
  return new Map([
    ['pooler.dense.weight', [hiddenSize, hiddenSize]],
    ['pooler.dense.bias', [hiddenSize]],
  ]);
}

// A config of another model makes a fault of every tensor, up to 16,000 of them.
const MAX_NAMED_FAULTS = 8;

/** @throws FarmError `invalid_argument` that names, in the family's words, tensors which are missing or have another shape: the first 8. */
export function checkBertWeights(
  config: BertConfig,
  weights: BertWeights,
  layers = config.layers,
  { pooler = false }: { pooler?: boolean } = {},
): void {
  const faults: string[] = [];
  const { tensorNames } = familyOf(config.modelType);
  const shapes = [...bertWeightShapes(config, layers), ...(pooler ? poolerWeightShapes(config) : [])];
  for (const [name, expected] of shapes) {
    const got = weights.get(name)?.shape;
    const own = ownName(tensorNames, name);
    if (got === undefined) {
      faults.push(`${own} is missing, expected [${expected.join(', ')}]`);
    } else if (got.join() !== expected.join()) {
      faults.push(`${own} is [${got.join(', ')}], expected [${expected.join(', ')}]`);
    }
  }
  if (faults.length === 0) return;
  const named = faults.slice(0, MAX_NAMED_FAULTS).join('; ');
  const more = faults.length > MAX_NAMED_FAULTS ? `; and ${faults.length - MAX_NAMED_FAULTS} more` : '';
  throw new FarmError('invalid_argument', `the weights do not fit the config: ${named}${more}`);
}

/** @throws FarmError `invalid_argument` when there is no such tensor. */
export function weightOf(weights: BertWeights, name: string): WeightTensor {
  const weight = weights.get(name);
  if (weight !== undefined) return weight;
  throw new FarmError('invalid_argument', `the weights hold no ${name}`);
}
