import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import {
  hasWholeHeads,
  readShared,
  sharedFields,
  sizeField,
  WHOLE_HEADS,
  writeShared,
} from './config-fields.ts';
import type { EncoderFamily, ModelType } from './encoder-family.ts';
import { tensorNames } from './tensor-names.ts';

const ARCHITECTURES: Partial<Record<ModelType, string>> = {
  'xlm-roberta': 'XLMRobertaModel',
  camembert: 'CamembertModel',
};

const configSchema = z
  .object({
    ...sharedFields,
    model_type: z.enum(['roberta', 'xlm-roberta', 'camembert']),
    type_vocab_size: sizeField.default(2),
    pad_token_id: z.int().min(0).default(1),
    is_decoder: z.literal(false).default(false),
  })
  .refine(hasWholeHeads, WHOLE_HEADS)
  .refine((config) => config.max_position_embeddings > config.pad_token_id + 1, {
    path: ['max_position_embeddings'],
    error: 'max_position_embeddings must be more than pad_token_id + 1, where positions begin',
  });

/**
 * A BERT trained longer, with one token type. Its positions begin behind that of padding, so the first rows
 * of the table belong to no token and a table of 514 rows is for 512 tokens.
 *
 * Source: Liu et al., "RoBERTa", 2019 (https://arxiv.org/abs/1907.11692);
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/roberta/modeling_roberta.py
 */
export const ROBERTA: EncoderFamily = {
  label: 'RoBERTa',
  tensorNames: tensorNames('roberta'),
  hasPooler: true,
  parseConfig: (json) => {
    const config = parseOptions('not the config of a RoBERTa model', configSchema, json);
    const firstPosition = config.pad_token_id + 1;
    return {
      ...readShared(config),
      modelType: config.model_type,
      firstPosition,
      maxPositions: config.max_position_embeddings - firstPosition,
      segmentTypes: config.type_vocab_size,
      padTokenId: config.pad_token_id,
    };
  },
  formatConfig: ({ modelType = 'roberta', ...config }) => ({
    architectures: [ARCHITECTURES[modelType] ?? 'RobertaModel'],
    model_type: modelType,
    ...writeShared(config),
    type_vocab_size: config.segmentTypes,
  }),
};
