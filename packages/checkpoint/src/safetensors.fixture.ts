// Safetensors files of any content, sound or not, for tests.

export interface SafetensorsFixture {
  readonly dtype?: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function safetensorsOf(tensors: Readonly<Record<string, SafetensorsFixture>>): Uint8Array {
  let end = 0;
  const header = Object.entries(tensors).map(([name, { dtype = 'F32', shape, bytes }]) => {
    const start = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const values = Object.values(tensors).map(({ bytes }) => bytes);
  return withHeader({ __metadata__: { format: 'pt' }, ...Object.fromEntries(header) }, Buffer.concat(values));
}

export function withHeader(header: unknown, values: Uint8Array): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, values]);
}
