import { open } from 'node:fs/promises';
import type { BertWeights } from '@embedfarm/checkpoint/bert-weights';

/**
 * Writes weights as a safetensors file in float32, with one tensor at a time in memory.
 *
 * Source: https://huggingface.co/docs/safetensors/index (format).
 */
export async function writeSafetensors(file: string, weights: BertWeights): Promise<void> {
  let end = 0;
  const entries = [...weights].map(([name, { shape }]) => {
    const start = end;
    end += 4 * shape.reduce((size, dim) => size * dim, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  // Tensors should begin at a multiple of 8 bytes; the header may end in spaces.
  const header = Buffer.from(json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(Buffer.concat([length, header]));
    for (const { read } of weights.values()) {
      const { buffer, byteOffset, byteLength } = read();
      await handle.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
    }
  } finally {
    await handle.close();
  }
}
