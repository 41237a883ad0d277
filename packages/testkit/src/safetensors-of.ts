import type { BertWeights } from '@embedfarm/checkpoint/bert-weights';

/** The bytes of a model.safetensors with these weights, in float32. */
export function safetensorsOf(weights: BertWeights): Uint8Array {
  let end = 0;
  const tensors = [...weights].map(([name, { shape, read }]) => {
    const values = new Uint8Array(read().buffer);
    const start = end;
    end += values.length;
    return { name, values, entry: { dtype: 'F32', shape, data_offsets: [start, end] } };
  });
  const header = Buffer.from(
    JSON.stringify(Object.fromEntries(tensors.map(({ name, entry }) => [name, entry]))),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...tensors.map(({ values }) => values)]);
}
