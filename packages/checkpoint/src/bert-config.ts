import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';

/** The shape of a BERT encoder (Devlin et al. 2018, section 3). */
export interface BertConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Encoder blocks. */
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  /** Longest sequence: there is one position vector for each place. */
  readonly maxPositions: number;
  readonly segmentTypes: number;
  readonly layerNormEpsilon: number;
  /** `gelu` is exact (erf), `gelu_tanh` is the tanh form of Google's first release. */
  readonly activation: 'gelu' | 'gelu_tanh';
  readonly padTokenId: number;
}

const ACTIVATIONS = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
} as const satisfies Record<string, BertConfig['activation']>;

// A config.json carries many fields that do not change a vector, so unknown ones pass.
const bertConfigSchema = z
  .object({
    model_type: z.literal('bert').default('bert'),
    vocab_size: z.int().min(1),
    hidden_size: z.int().min(1),
    // No model has more than some dozens; a list of all tensors is made of it.
    num_hidden_layers: z.int().min(1).max(1000),
    num_attention_heads: z.int().min(1),
    intermediate_size: z.int().min(1),
    max_position_embeddings: z.int().min(1),
    type_vocab_size: z.int().min(1).default(2),
    layer_norm_eps: z.number().positive().default(1e-12),
    hidden_act: z.enum(['gelu', 'gelu_python', 'gelu_new', 'gelu_pytorch_tanh']).default('gelu'),
    pad_token_id: z.int().min(0).default(0),
    // A decoder's tokens see only what is before them.
    is_decoder: z.literal(false).default(false),
    position_embedding_type: z.literal('absolute').default('absolute'),
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    path: ['hidden_size'],
    error: 'hidden_size must be a multiple of num_attention_heads',
  });

/**
 * A Hugging Face `config.json` (or Google's `bert_config.json`), parsed from JSON.
 *
 * @throws FarmError `invalid_argument` with every broken field named.
 */
export function parseBertConfig(json: unknown): BertConfig {
  const config = parseOptions('not the config of a BERT model', bertConfigSchema, json);
  return {
    vocabularySize: config.vocab_size,
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    intermediateSize: config.intermediate_size,
    maxPositions: config.max_position_embeddings,
    segmentTypes: config.type_vocab_size,
    layerNormEpsilon: config.layer_norm_eps,
    activation: ACTIVATIONS[config.hidden_act],
    padTokenId: config.pad_token_id,
  };
}

/** The content of a Hugging Face `config.json`; `parseBertConfig` reads it back. */
export function formatBertConfig(config: BertConfig): Record<string, unknown> {
  return {
    architectures: ['BertModel'],
    model_type: 'bert',
    vocab_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositions,
    type_vocab_size: config.segmentTypes,
    layer_norm_eps: config.layerNormEpsilon,
    hidden_act: config.activation === 'gelu' ? 'gelu' : 'gelu_pytorch_tanh',
    pad_token_id: config.padTokenId,
    position_embedding_type: 'absolute',
  };
}
