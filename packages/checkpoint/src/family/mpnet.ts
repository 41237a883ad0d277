import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { DISTANCE_BUCKETS } from '../distance-bucket.ts';
import { hasWholeHeads, readShared, sharedFields, WHOLE_HEADS, writeShared } from './config-fields.ts';
import type { EncoderFamily } from './encoder-family.ts';
import { tensorNames } from './tensor-names.ts';

// Its positions begin behind that of padding, which is 1 whatever pad_token_id says.
const FIRST_POSITION = 2;

const configSchema = z
  .object({
    ...sharedFields,
    relative_attention_num_buckets: z.literal(DISTANCE_BUCKETS).default(DISTANCE_BUCKETS),
    pad_token_id: z.int().min(0).default(1),
  })
  .refine(hasWholeHeads, WHOLE_HEADS)
  .refine((config) => config.max_position_embeddings > FIRST_POSITION, {
    path: ['max_position_embeddings'],
    error: `max_position_embeddings must be more than ${FIRST_POSITION}, where positions begin`,
  });

/**
 * A BERT without token types, whose attention also knows how far apart two tokens are: see `distanceBias`.
 *
 * Source: Song et al., "MPNet", 2020 (https://arxiv.org/abs/2004.09297);
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/mpnet/modeling_mpnet.py
 */
export const MPNET: EncoderFamily = {
  label: 'MPNet',
  tensorNames: tensorNames('mpnet', 'encoder.layer', {
    'attention.self.query': 'attention.attn.q',
    'attention.self.key': 'attention.attn.k',
    'attention.self.value': 'attention.attn.v',
    'attention.output.dense': 'attention.attn.o',
    'attention.output.LayerNorm': 'attention.LayerNorm',
  }),
  hasPooler: true,
  parseConfig: (json) => {
    const config = parseOptions('not the config of an MPNet model', configSchema, json);
    return {
      ...readShared(config),
      modelType: 'mpnet',
      firstPosition: FIRST_POSITION,
      distanceBuckets: DISTANCE_BUCKETS,
      maxPositions: config.max_position_embeddings - FIRST_POSITION,
      segmentTypes: 0,
      padTokenId: config.pad_token_id,
    };
  },
  formatConfig: (config) => ({
    architectures: ['MPNetModel'],
    model_type: 'mpnet',
    ...writeShared(config),
    relative_attention_num_buckets: DISTANCE_BUCKETS,
  }),
};
