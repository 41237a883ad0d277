import { FarmError } from '@embedfarm/contract';
import type { BertWeights, WeightTensor } from './bert-weights.ts';
import { BERT } from './family/bert.ts';
import type { EncoderFamily } from './family/encoder-family.ts';
import { bertName, ownName } from './family/tensor-names.ts';
import type { StoredTensors } from './stored-tensor.ts';

/**
 * The encoder's tensors under the names of `bertWeightShapes`, out of a checkpoint with the names of Google
 * (a BERT's) or of Hugging Face. What is no part of the encoder is left out: heads, the pooler, moments of an optimizer.
 *
 * Any prefix may stand in front of the names (`model/bert/`). Where several encoders are in one file, the one
 * that Google's or Hugging Face's own code would load is taken: `bert` (`roberta`, …), or no prefix.
 *
 * @param source names the file in errors.
 * @throws FarmError `invalid_argument` when there is no encoder, or several and none of them is that one.
 */
export function bertWeightsOf(
  source: string,
  tensors: StoredTensors,
  family: EncoderFamily = BERT,
): BertWeights {
  const encoders = new Map<string, Map<string, WeightTensor>>();
  for (const [stored, tensor] of tensors) {
    const google = family === BERT ? googleName(stored) : undefined;
    const found = google ?? bertName(family.tensorNames, stored);
    if (!found) continue;
    const encoder = encoders.get(found.prefix) ?? new Map<string, WeightTensor>();
    encoders.set(found.prefix, encoder);
    if (encoder.has(found.name)) {
      throw new FarmError(
        'invalid_argument',
        `${source} has two tensors for ${ownName(family.tensorNames, found.name)}, one is ${stored}`,
      );
    }
    encoder.set(found.name, google?.isKernel ? turned(tensor) : tensor);
  }
  return encoderOf(source, encoders, tensors, family);
}

function encoderOf(
  source: string,
  found: ReadonlyMap<string, BertWeights>,
  tensors: StoredTensors,
  { label, tensorNames }: EncoderFamily,
): BertWeights {
  const whole = [...found].filter(([, encoder]) => encoder.has('embeddings.word_embeddings.weight'));
  // One that lacks its words is an encoder as long as there is no better; what lacks is named later.
  const encoders = new Map(whole.length > 0 ? whole : found);
  const [first, ...others] = encoders.values();
  if (first && others.length === 0) return first;
  const usualPrefixes = [`${tensorNames.prefix}/`, `${tensorNames.prefix}.`, ''];
  const usual = usualPrefixes.map((prefix) => encoders.get(prefix)).find((encoder) => encoder !== undefined);
  if (usual) return usual;
  const fault = first
    ? `several encoders: ${[...encoders.keys()].join(', ')}`
    : `no ${label} encoder; of its ${tensors.size} tensors the first are: ${[...tensors.keys()].slice(0, 5).join(', ')}`;
  throw new FarmError('invalid_argument', `${source} holds ${fault}`);
}

interface GoogleName {
  readonly prefix: string;
  /** As in `bertWeightShapes`. */
  readonly name: string;
  /** A kernel is [in, out], a weight [out, in]. */
  readonly isKernel: boolean;
}

const GOOGLE =
  /^(?<prefix>(?:.*\/)?)(?<part>embeddings|encoder\/layer_\d{1,4}\/(?:attention\/(?:self|output)|intermediate|output)|pooler)\/(?<leaf>(?:(?:query|key|value|dense)\/(?:kernel|bias))|LayerNorm\/(?:gamma|beta)|(?:word|position|token_type)_embeddings)$/;

/** `bert/encoder/layer_0/attention/self/query/kernel` and its like. */
function googleName(stored: string): GoogleName | undefined {
  const { prefix, part, leaf } = GOOGLE.exec(stored)?.groups ?? {};
  if (prefix === undefined || part === undefined || leaf === undefined) return undefined;
  const name = `${part.replace('layer_', 'layer.')}.${leaf}`.replaceAll('/', '.');
  const isTable = leaf.endsWith('_embeddings');
  return { prefix, name: isTable ? `${name}.weight` : modernName(name), isKernel: leaf.endsWith('kernel') };
}

function modernName(name: string): string {
  return name.replace(/\.(?:kernel|gamma)$/, '.weight').replace(/\.beta$/, '.bias');
}

/** [in, out] → [out, in]. */
function turned(tensor: WeightTensor): WeightTensor {
  const [inputs, outputs, ...more] = tensor.shape;
  if (inputs === undefined || outputs === undefined || more.length > 0) return tensor;
  const read = (): Float32Array => {
    const kernel = tensor.read();
    const weight = new Float32Array(kernel.length);
    for (let out = 0; out < outputs; out += 1) {
      for (let i = 0; i < inputs; i += 1) weight[out * inputs + i] = kernel[i * outputs + out] ?? 0;
    }
    return weight;
  };
  return { shape: [outputs, inputs], read };
}
