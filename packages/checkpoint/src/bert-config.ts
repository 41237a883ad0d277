import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import type { ModelType } from './family/encoder-family.ts';
import { familyOf } from './family/family-of.ts';

/** The shape of a BERT encoder (Devlin et al. 2018, section 3), or of one of the families after it. */
export interface BertConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Encoder blocks. */
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  /** Longest sequence: there is one position vector for each place. */
  readonly maxPositions: number;
  /** 0 where the family has none. */
  readonly segmentTypes: number;
  readonly layerNormEpsilon: number;
  /** `gelu` is exact (erf), `gelu_tanh` is the tanh form of Google's first release. */
  readonly activation: 'gelu' | 'gelu_tanh' | 'relu';
  readonly padTokenId: number;
  /** Hugging Face's word; `bert` by default. */
  readonly modelType?: ModelType;
  /** Row of the position table for a sequence's first token, those before it are nobody's; 0 by default. */
  readonly firstPosition?: number;
  /** Kinds of distance by which attention is biased, in MPNet; none by default. */
  readonly distanceBuckets?: number;
}

const typeSchema = z.object({ model_type: z.string().max(100).optional() });

/**
 * A Hugging Face `config.json` (or Google's `bert_config.json`), parsed from JSON.
 *
 * @throws FarmError `invalid_argument` for a family that is not known, and with every broken field named.
 */
export function parseBertConfig(json: unknown): BertConfig {
  const { model_type: modelType } = parseOptions('not the config of a model', typeSchema, json);
  return familyOf(modelType).parseConfig(json);
}

/** The content of a Hugging Face `config.json`; `parseBertConfig` reads it back. */
export function formatBertConfig(config: BertConfig): Record<string, unknown> {
  return familyOf(config.modelType).formatConfig(config);
}
