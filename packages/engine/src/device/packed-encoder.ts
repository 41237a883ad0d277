import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-node';
import { readHidden } from './hidden-output.ts';
import type { OnnxDeviceOptions, OnnxEncoder } from './onnx-device-options.ts';
import { packBatch } from './pack-batch.ts';

/** Runs our own graph: see @embedfarm/checkpoint, bert-graph. */
export function packedEncoder(
  session: InferenceSession,
  tensor: TensorConstructor,
  { heads, dimensions }: OnnxDeviceOptions,
): OnnxEncoder {
  return async (batch) => {
    const rows = batch.lengths.length;
    const tokens = batch.ids.length;
    const { slots, positions, pad, unpad, bias, starts } = packBatch(batch, heads);
    const feeds: Record<string, Tensor> = {
      ids: new tensor('int32', batch.ids, [tokens]),
      positions: new tensor('int32', positions, [tokens]),
      types: new tensor('int32', new Int32Array(tokens), [tokens]),
      pad: new tensor('int32', pad, [rows, 1, slots]),
      unpad: new tensor('int32', unpad, [tokens]),
      bias: new tensor('float32', bias, [rows, 1, 1, slots]),
    };
    const hidden = readHidden(await session.run(feeds), 'hidden', [1, tokens, dimensions]);
    return { hidden, size: dimensions, starts, lengths: batch.lengths };
  };
}
