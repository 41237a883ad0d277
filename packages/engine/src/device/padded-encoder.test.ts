import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { joinSequences } from '../batch/sequence-batch.ts';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';
import { paddedEncoder } from './padded-encoder.ts';

type Value = InferenceSession.ValueMetadata;

const value = (name: string, type: Tensor.Type, ...shape: (number | string)[]): Value => ({
  name,
  isTensor: true,
  type,
  shape,
});

const IDS = value('input_ids', 'int64', 'batch', 'sequence');
const MASK = value('attention_mask', 'int64', 'batch', 'sequence');
const HIDDEN = value('last_hidden_state', 'float32', 'batch', 'sequence', 2);

const options = { padId: 9, dimensions: 2 } as OnnxDeviceOptions;

/** A session that keeps its feeds, and answers with zeros. */
function fakeSession(
  inputs: readonly Value[],
  outputs: readonly Value[],
): { feeds: Record<string, Tensor>; session: InferenceSession } {
  const feeds: Record<string, Tensor> = {};
  const session = {
    inputNames: inputs.map(({ name }) => name),
    inputMetadata: inputs,
    outputMetadata: outputs,
    run: async (given: Record<string, Tensor>, [name]: readonly string[]) => {
      Object.assign(feeds, given);
      const dims = [...(given['input_ids']?.dims ?? []), 2];
      const size = dims.reduce((product, dim) => product * dim, 1);
      return { [String(name)]: new Tensor('float32', new Float32Array(size), dims) };
    },
  };
  return { feeds, session: session as unknown as InferenceSession };
}

const batch = joinSequences([Int32Array.of(5, 6, 7), Int32Array.of(8, 4)]);

describe('paddedEncoder', () => {
  it('feeds what the graph asks for, in its types', async () => {
    const inputs = [
      IDS,
      value('attention_mask', 'int32', 'batch', 'sequence'),
      value('position_ids', 'int64', 'batch', 'sequence'),
      value('token_type_ids', 'int64', 'batch', 'sequence'),
    ];
    const { session, feeds } = fakeSession(inputs, [HIDDEN]);
    const { starts, lengths, hidden } = await paddedEncoder(session, Tensor, options)(batch);
    expect(feeds['input_ids']?.data).toEqual(BigInt64Array.of(5n, 6n, 7n, 8n, 4n, 9n));
    expect(feeds['attention_mask']?.data).toEqual(Int32Array.of(1, 1, 1, 1, 1, 0));
    expect(feeds['position_ids']?.data).toEqual(BigInt64Array.of(0n, 1n, 2n, 0n, 1n, 2n));
    expect(feeds['token_type_ids']?.data).toEqual(new BigInt64Array(6));
    expect([...starts]).toEqual([0, 3]);
    expect([...lengths]).toEqual([3, 2]);
    expect(hidden).toHaveLength(12);
  });

  it('takes the only output of rank 3, whatever its name', async () => {
    const outputs = [value('token_embeddings', 'float32', 'b', 's', 2), value('pooled', 'float32', 'b', 2)];
    const encoder = paddedEncoder(fakeSession([IDS, MASK], outputs).session, Tensor, options);
    await expect(encoder(batch)).resolves.toMatchObject({ size: 2 });
  });

  it.each([
    [
      'an input it cannot fill',
      [IDS, MASK, value('pixels', 'float32', 1)],
      [HIDDEN],
      /it has .*pixels float32 \[1\]/,
    ],
    ['no mask', [IDS], [HIDDEN], /it has input_ids int64/],
    ['ids in floats', [value('input_ids', 'float32', 1, 1), MASK], [HIDDEN], /it has input_ids float32/],
    ['no hidden states', [IDS, MASK], [value('logits', 'float32', 'b', 2)], /it has logits float32 \[b, 2\]/],
    [
      'two of rank 3',
      [IDS, MASK],
      [value('a', 'float32', 1, 1, 2), value('b', 'float32', 1, 1, 2)],
      /it has a .*, b /,
    ],
    ['halves', [IDS, MASK], [value('last_hidden_state', 'float16', 1, 1, 2)], /float16/],
  ])('refuses a graph with %s, and names what it has', (_, inputs, outputs, message) => {
    const { session } = fakeSession(inputs, outputs);
    expect(() => paddedEncoder(session, Tensor, options)).toThrow(message);
  });

  it('fails a run whose hidden states have another shape than the configuration says', async () => {
    const { session } = fakeSession([IDS, MASK], [HIDDEN]);
    const encoder = paddedEncoder(session, Tensor, { ...options, dimensions: 3 });
    await expect(encoder(batch)).rejects.toThrow(
      'output last_hidden_state must be float32 [2, 3, 3], got [2, 3, 2]',
    );
  });
});
