import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-node';
import { tokenTypes } from '../batch/sequence-batch.ts';
import { readHidden } from './hidden-output.ts';
import { hiddenSizeOf, type OnnxDeviceOptions, type OnnxEncoder } from './onnx-device-options.ts';
import { packBatch } from './pack-batch.ts';

/** Runs our own graph: see @embedfarm/checkpoint, bert-graph. */
export function packedEncoder(
  session: InferenceSession,
  tensor: TensorConstructor,
  options: OnnxDeviceOptions,
): OnnxEncoder {
  const { heads, output = 'tokens', masked, typesSegments = false } = options;
  const size = hiddenSizeOf(options);
  // A model with a single token type, or none, has no use for them.
  const hasTypes = session.inputNames.includes('types');
  return async (batch) => {
    const rows = batch.lengths.length;
    const tokens = batch.ids.length;
    const { slots, positions, pad, unpad, bias, starts } = packBatch(batch, heads, masked);
    const feeds: Record<string, Tensor> = {
      ids: new tensor('int32', batch.ids, [tokens]),
      positions: new tensor('int32', positions, [tokens]),
      pad: new tensor('int32', pad, [rows, 1, slots]),
      unpad: new tensor('int32', unpad, [tokens]),
      bias: new tensor('float32', bias, [rows, 1, 1, slots]),
    };
    const types = typesSegments ? tokenTypes(batch) : new Int32Array(tokens);
    if (hasTypes) feeds['types'] = new tensor('int32', types, [tokens]);
    const { lengths, seconds, unpooled } = batch;
    if (output === 'tokens') {
      const hidden = readHidden(await session.run(feeds), 'hidden', [1, tokens, size]);
      return { hidden, size, starts, lengths, seconds, unpooled, masked };
    }
    // A lone row goes twice: see bertGraph.
    const asked = Int32Array.from({ length: Math.max(2, rows) }, (_, row) => Math.min(row, rows - 1));
    feeds['rows'] = new tensor('int32', asked, [asked.length]);
    const name = output === 'pooled' ? 'pooled' : 'hidden';
    const hidden = readHidden(await session.run(feeds), name, [1, asked.length, size]);
    return { hidden, size, starts: asked.subarray(0, rows), lengths: new Int32Array(rows).fill(1) };
  };
}
