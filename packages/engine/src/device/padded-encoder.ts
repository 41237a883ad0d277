import { FarmError } from '@embedfarm/contract/farm-error';
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-node';
import { readHidden } from './hidden-output.ts';
import { hiddenSizeOf, type OnnxDeviceOptions, type OnnxEncoder } from './onnx-device-options.ts';
import { padBatch, type PaddedInputs } from './pad-batch.ts';

type ValueOf = (inputs: PaddedInputs) => Int32Array;

/** The inputs that exports of BERT and its kin have, and what they hold. */
const KNOWN_INPUTS: Readonly<Record<string, ValueOf>> = {
  input_ids: ({ ids }) => ids,
  attention_mask: ({ mask }) => mask,
  token_type_ids: ({ types }) => types,
  position_ids: ({ positions }) => positions,
};

/**
 * Runs any export with `input_ids` and `attention_mask`, every row padded to the longest one.
 *
 * @throws FarmError `invalid_argument` naming the inputs and outputs found where they are others.
 */
export function paddedEncoder(
  session: InferenceSession,
  tensor: TensorConstructor,
  options: OnnxDeviceOptions,
): OnnxEncoder {
  const { padId, masked, typesSegments = false } = options;
  const size = hiddenSizeOf(options);
  const inputs = session.inputMetadata.map((input) => checkInput(session, input));
  const output = hiddenOutput(session);
  return async (batch) => {
    const padded = padBatch(batch, padId, masked);
    if (!typesSegments) padded.types.fill(0);
    const shape = [batch.lengths.length, padded.slots];
    const feeds: Record<string, Tensor> = {};
    for (const { name, type, valueOf } of inputs) {
      const values = valueOf(padded);
      feeds[name] =
        type === 'int64' ? new tensor('int64', widen(values), shape) : new tensor('int32', values, shape);
    }
    const hidden = readHidden(await session.run(feeds, [output]), output, [...shape, size]);
    const { starts } = padded;
    const { lengths, seconds, unpooled } = batch;
    return { hidden, size, starts, lengths, seconds, unpooled, masked };
  };
}

interface GraphInput {
  readonly name: string;
  readonly type: 'int32' | 'int64';
  readonly valueOf: ValueOf;
}

function checkInput(session: InferenceSession, input: InferenceSession.ValueMetadata): GraphInput {
  const valueOf = KNOWN_INPUTS[input.name];
  const type = input.isTensor ? input.type : undefined;
  const names = session.inputNames;
  const isBert = names.includes('input_ids') && names.includes('attention_mask');
  if (valueOf && isBert && (type === 'int32' || type === 'int64')) return { name: input.name, type, valueOf };
  throw new FarmError(
    'invalid_argument',
    `the graph must have the inputs input_ids and attention_mask, may have token_type_ids and position_ids, ` +
      `all int32 or int64; it has ${session.inputMetadata.map(describeValue).join(', ')}`,
  );
}

/** `last_hidden_state`, else the only output of rank 3. */
function hiddenOutput(session: InferenceSession): string {
  const wide = session.outputMetadata.filter((output) => output.isTensor && output.shape.length === 3);
  const named = wide.find(({ name }) => name === 'last_hidden_state');
  const found = named ?? (wide.length === 1 ? wide[0] : undefined);
  if (found?.isTensor && found.type === 'float32') return found.name;
  throw new FarmError(
    'invalid_argument',
    `the graph must have a float32 output last_hidden_state [batch, sequence, hidden], or one of rank 3; ` +
      `it has ${session.outputMetadata.map(describeValue).join(', ')}`,
  );
}

function describeValue(value: InferenceSession.ValueMetadata): string {
  return value.isTensor ? `${value.name} ${value.type} [${value.shape.join(', ')}]` : value.name;
}

function widen(values: Int32Array): BigInt64Array {
  const wide = new BigInt64Array(values.length);
  // Little-endian halves: four times as fast as a BigInt per value.
  const halves = new Int32Array(wide.buffer);
  for (let index = 0; index < values.length; index += 1) halves[index * 2] = values[index] ?? 0;
  return wide;
}
