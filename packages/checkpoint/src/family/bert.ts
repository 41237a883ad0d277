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
import type { EncoderFamily } from './encoder-family.ts';
import { tensorNames } from './tensor-names.ts';

// A config.json carries many fields that do not change a vector, so unknown ones pass.
const configSchema = z
  .object({
    ...sharedFields,
    type_vocab_size: sizeField.default(2),
    pad_token_id: z.int().min(0).default(0),
    // A decoder's tokens see only what is before them.
    is_decoder: z.literal(false).default(false),
  })
  .refine(hasWholeHeads, WHOLE_HEADS);

/**
 * Source: Devlin et al., "BERT", 2018 (https://arxiv.org/abs/1810.04805), section 3; Google's
 * `bert_config.json` has the same fields as Hugging Face's config.json, but for `model_type`.
 */
export const BERT: EncoderFamily = {
  label: 'BERT',
  tensorNames: tensorNames('bert'),
  hasPooler: true,
  parseConfig: (json) => {
    const config = parseOptions('not the config of a BERT model', configSchema, json);
    return {
      ...readShared(config),
      maxPositions: config.max_position_embeddings,
      segmentTypes: config.type_vocab_size,
      padTokenId: config.pad_token_id,
    };
  },
  formatConfig: (config) => ({
    architectures: ['BertModel'],
    model_type: 'bert',
    ...writeShared(config),
    type_vocab_size: config.segmentTypes,
  }),
};
