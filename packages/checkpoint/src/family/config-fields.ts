import { z } from 'zod';
import type { BertConfig } from '../bert-config.ts';

export const sizeField = z.int().min(1);

// No model has more than some dozens; a list of all tensors is made of it.
export const blocksField = z.int().min(1).max(1000);

const ACTIVATIONS = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  relu: 'relu',
} as const satisfies Record<string, BertConfig['activation']>;

export const activationField = z
  .enum(['gelu', 'gelu_python', 'gelu_new', 'gelu_fast', 'gelu_pytorch_tanh', 'relu'])
  .default('gelu')
  .transform((name): BertConfig['activation'] => ACTIVATIONS[name]);

/** The word of Hugging Face for an activation. */
export function activationName(activation: BertConfig['activation']): string {
  return activation === 'gelu_tanh' ? 'gelu_pytorch_tanh' : activation;
}

/** What BERT, RoBERTa and MPNet call by the same names. */
export const sharedFields = {
  vocab_size: sizeField,
  hidden_size: sizeField,
  num_hidden_layers: blocksField,
  num_attention_heads: sizeField,
  intermediate_size: sizeField,
  max_position_embeddings: sizeField,
  // 1e-12 to 1e-5 in every model there is; it becomes a float32, which 1e39 is not.
  layer_norm_eps: z.number().positive().max(1).default(1e-12),
  hidden_act: activationField,
  position_embedding_type: z.literal('absolute').default('absolute'),
};
const sharedSchema = z.object(sharedFields);
type SharedFields = z.output<typeof sharedSchema>;

/** For a schema's `refine`: every head has the same whole number of columns. */
export function hasWholeHeads({ hidden_size: size, num_attention_heads: heads }: SharedFields): boolean {
  return size % heads === 0;
}
export const WHOLE_HEADS = {
  path: ['hidden_size'],
  error: 'hidden_size must be a multiple of num_attention_heads',
};

export function readShared(
  fields: SharedFields,
): Omit<BertConfig, 'segmentTypes' | 'padTokenId' | 'maxPositions'> {
  return {
    vocabularySize: fields.vocab_size,
    hiddenSize: fields.hidden_size,
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    intermediateSize: fields.intermediate_size,
    layerNormEpsilon: fields.layer_norm_eps,
    activation: fields.hidden_act,
  };
}

export function writeShared(config: BertConfig): Record<string, unknown> {
  return {
    vocab_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositions + (config.firstPosition ?? 0),
    layer_norm_eps: config.layerNormEpsilon,
    hidden_act: activationName(config.activation),
    pad_token_id: config.padTokenId,
    position_embedding_type: 'absolute',
  };
}
