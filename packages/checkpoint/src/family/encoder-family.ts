import type { BertConfig } from '../bert-config.ts';
import type { TensorNames } from './tensor-names.ts';

/** Hugging Face's words for the encoders that are one graph here: `model_type` in a config.json. */
export const MODEL_TYPES = ['bert', 'roberta', 'xlm-roberta', 'camembert', 'distilbert', 'mpnet'] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

/** Encoders whose graph and tensor names are the same: all that reading their files has to know. */
export interface EncoderFamily {
  /** As people write it. */
  readonly label: string;
  readonly tensorNames: TensorNames;
  /** Whether a linear layer and tanh stand behind the encoder. */
  readonly hasPooler: boolean;

  /** @throws FarmError `invalid_argument` with every broken field of the config.json named. */
  readonly parseConfig: (json: unknown) => BertConfig;

  /** The content of a config.json, as Hugging Face's own classes read it. */
  readonly formatConfig: (config: BertConfig) => Record<string, unknown>;
}
