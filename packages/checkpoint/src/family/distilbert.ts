import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { activationField, activationName, blocksField, sizeField } from './config-fields.ts';
import type { EncoderFamily } from './encoder-family.ts';
import { tensorNames } from './tensor-names.ts';

const configSchema = z
  .object({
    vocab_size: sizeField,
    dim: sizeField,
    n_layers: blocksField,
    n_heads: sizeField,
    hidden_dim: sizeField,
    max_position_embeddings: sizeField,
    activation: activationField,
    pad_token_id: z.int().min(0).default(0),
  })
  .refine(({ dim, n_heads: heads }) => dim % heads === 0, {
    path: ['dim'],
    error: 'dim must be a multiple of n_heads',
  });

// Not in its config.json.
const LAYER_NORM_EPSILON = 1e-12;

/**
 * A BERT with half of the blocks, without token types and without a pooler.
 *
 * Source: Sanh et al., "DistilBERT", 2019 (https://arxiv.org/abs/1910.01108);
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/distilbert/modeling_distilbert.py
 */
export const DISTILBERT: EncoderFamily = {
  label: 'DistilBERT',
  tensorNames: tensorNames('distilbert', 'transformer.layer', {
    'attention.self.query': 'attention.q_lin',
    'attention.self.key': 'attention.k_lin',
    'attention.self.value': 'attention.v_lin',
    'attention.output.dense': 'attention.out_lin',
    'attention.output.LayerNorm': 'sa_layer_norm',
    'intermediate.dense': 'ffn.lin1',
    'output.dense': 'ffn.lin2',
    'output.LayerNorm': 'output_layer_norm',
  }),
  hasPooler: false,
  parseConfig: (json) => {
    const config = parseOptions('not the config of a DistilBERT model', configSchema, json);
    return {
      modelType: 'distilbert',
      vocabularySize: config.vocab_size,
      hiddenSize: config.dim,
      layers: config.n_layers,
      heads: config.n_heads,
      intermediateSize: config.hidden_dim,
      maxPositions: config.max_position_embeddings,
      segmentTypes: 0,
      layerNormEpsilon: LAYER_NORM_EPSILON,
      activation: config.activation,
      padTokenId: config.pad_token_id,
    };
  },
  formatConfig: (config) => ({
    architectures: ['DistilBertModel'],
    model_type: 'distilbert',
    vocab_size: config.vocabularySize,
    dim: config.hiddenSize,
    n_layers: config.layers,
    n_heads: config.heads,
    hidden_dim: config.intermediateSize,
    max_position_embeddings: config.maxPositions,
    activation: activationName(config.activation),
    pad_token_id: config.padTokenId,
  }),
};
