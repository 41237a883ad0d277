import { FarmError } from '@embedfarm/contract';
import { BERT } from './bert.ts';
import { DISTILBERT } from './distilbert.ts';
import { MODEL_TYPES, type EncoderFamily, type ModelType } from './encoder-family.ts';
import { MPNET } from './mpnet.ts';
import { ROBERTA } from './roberta.ts';

const FAMILIES: Readonly<Record<ModelType, EncoderFamily>> = {
  bert: BERT,
  roberta: ROBERTA,
  'xlm-roberta': ROBERTA,
  camembert: ROBERTA,
  distilbert: DISTILBERT,
  mpnet: MPNET,
};

/**
 * The family of a `model_type`; Google's files, and the first ones of Hugging Face, have none and are BERT's.
 *
 * @throws FarmError `invalid_argument` for one that is not known here.
 */
export function familyOf(modelType = 'bert'): EncoderFamily {
  const known = MODEL_TYPES.find((name) => name === modelType);
  if (known) return FAMILIES[known];
  throw new FarmError(
    'invalid_argument',
    `the weights of model_type ${modelType} cannot be read, only those of ${MODEL_TYPES.join(', ')}; ` +
      'an ONNX export works: a directory with its model.onnx',
  );
}
