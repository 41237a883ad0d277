import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { safetensorsOf, withHeader, type SafetensorsFixture } from './safetensors.fixture.ts';
import { readSafetensors } from './safetensors.ts';
import { readShardedSafetensors } from './sharded-safetensors.ts';
import { readTensorBundle } from './tensor-bundle/bundle.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-safetensors-'));
  file = join(directory, 'model.safetensors');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const bytesOf = (array: { buffer: ArrayBufferLike }): Uint8Array =>
  new Uint8Array(array.buffer as ArrayBuffer);
const floats = (...values: number[]): SafetensorsFixture => ({
  shape: [values.length],
  bytes: bytesOf(Float32Array.from(values)),
});

describe('readSafetensors', () => {
  it('reads every type of number as float32, at any place in the file', async () => {
    await writeFile(
      file,
      safetensorsOf({
        odd: { dtype: 'U8', shape: [1], bytes: Uint8Array.of(1) },
        float: { dtype: 'F32', shape: [1, 2], bytes: bytesOf(Float32Array.of(0.1, -3)) },
        half: { dtype: 'F16', shape: [2], bytes: bytesOf(Uint16Array.of(0x3e00, 0x0001)) },
        brain: { dtype: 'BF16', shape: [1], bytes: bytesOf(Uint16Array.of(0xc000)) },
        double: { dtype: 'F64', shape: [], bytes: bytesOf(Float64Array.of(0.1)) },
        int: { dtype: 'I32', shape: [1], bytes: bytesOf(Int32Array.of(-7)) },
        long: { dtype: 'I64', shape: [1], bytes: bytesOf(BigInt64Array.of(511n)) },
      }),
    );
    const tensors = readSafetensors(file);
    const values = (name: string): number[] => [...(tensors.get(name)?.read() ?? [])];
    expect(tensors.get('float')).toMatchObject({ shape: [1, 2], type: 'float32', file });
    expect(values('float')).toEqual([Math.fround(0.1), -3]);
    expect(values('half')).toEqual([1.5, 2 ** -24]);
    expect(values('brain')).toEqual([-2]);
    expect(values('double')).toEqual([Math.fround(0.1)]);
    expect(values('int')).toEqual([-7]);
    expect(values('long')).toEqual([511]);
    expect(() => tensors.get('odd')?.read()).toThrow(`${file}: tensor odd has elements of type U8`);
  });

  const entry = (offsets: number[], shape = [2], dtype = 'F32'): unknown => ({
    dtype,
    shape,
    data_offsets: offsets,
  });

  it.each<[string, unknown]>([
    [
      'tensor b is said to be bytes 4 to 12 of 16, the one before ends at 8',
      { a: entry([0, 8]), b: entry([4, 12]) },
    ],
    [
      'tensor b is said to be bytes 12 to 20 of 16, the one before ends at 8',
      { a: entry([0, 8]), b: entry([12, 20]) },
    ],
    ['tensor b is said to be bytes 8 to 24 of 16', { a: entry([0, 8]), b: entry([8, 24], [4]) }],
    ['tensor b is said to be bytes 8 to 0 of 16', { a: entry([0, 8]), b: entry([8, 0]) }],
    ['tensor a is said to be bytes 0 to 100000000000 of 16', { a: entry([0, 1e11], [2.5e10]) }],
    ['its tensors end at 8, its values at 16', { a: entry([0, 8]) }],
    ['tensor a is float32 [3], that is 12 bytes, but 16 are kept', { a: entry([0, 16], [3]) }],
    [
      'tensor a is float32 [67108864, 67108864, 67108864]',
      { a: entry([0, 16], [2 ** 26, 2 ** 26, 2 ** 26]) },
    ],
    ['tensor a', { a: entry([0, 16], [-4]) }],
    ['tensor a', { a: { dtype: 'F32', shape: [4] } }],
    ['tensor __proto__', JSON.parse('{"__proto__": 1}')],
    ['the header must be an object', [1, 2]],
  ])('refuses a header that lies: %s', async (message, header) => {
    await writeFile(file, withHeader(header, new Uint8Array(16)));
    expect(() => readSafetensors(file)).toThrow(message);
    expect(() => readSafetensors(file)).toThrow(file);
  });

  it.each([
    ['the length of the header is said to be bytes 0 to 8, the file has 3', Uint8Array.of(1, 2, 3)],
    ['the header is said to have 18446744073709551615 bytes, limit is 0', new Uint8Array(8).fill(0xff)],
    ['the header is not JSON', withHeader({}, new Uint8Array()).map((byte, at) => (at === 8 ? 0xff : byte))],
  ])('refuses a file that is damaged: %s', async (message, bytes) => {
    await writeFile(file, bytes);
    expect(() => readSafetensors(file)).toThrow(message);
  });

  it('reads the tensors that stand in a TensorFlow checkpoint as well, to the bit', ({ skip }) => {
    // In the checkout of the project only: see its SOURCE.txt.
    const data = fileURLToPath(new URL('../../../../shared/data/synthetic-bert-32/', import.meta.url));
    if (!existsSync(data)) {
      console.warn(`skipped: no ${data}, a model in both formats`);
      skip();
    }
    const tensors = readSafetensors(join(data, 'model.safetensors'));
    const bundle = readTensorBundle(join(data, 'bert_model.ckpt'));
    const [name, google] = ['embeddings.word_embeddings.weight', 'bert/embeddings/word_embeddings'];
    const stored = [...tensors.keys()].find((key) => key.endsWith(name)) ?? '';
    const words = tensors.get(stored)?.read();
    expect(words).toHaveLength(30_522 * 32);
    // Element by element takes seconds.
    expect(Buffer.from(words!.buffer).equals(Buffer.from(bundle.get(google)!.read().buffer))).toBe(true);
  });
});

describe('readShardedSafetensors', () => {
  const write = async (map: unknown): Promise<string> => {
    await writeFile(
      join(directory, 'model-00001-of-00002.safetensors'),
      safetensorsOf({ a: floats(1, 2), b: floats(3) }),
    );
    await writeFile(join(directory, 'model-00002-of-00002.safetensors'), safetensorsOf({ c: floats(4) }));
    const index = join(directory, 'model.safetensors.index.json');
    await writeFile(index, JSON.stringify({ metadata: { total_size: 16 }, weight_map: map }));
    return index;
  };

  it('reads each tensor from its file', async () => {
    const first = 'model-00001-of-00002.safetensors';
    const index = await write({ a: first, b: first, c: 'model-00002-of-00002.safetensors' });
    const tensors = readShardedSafetensors(index);
    expect([...tensors].map(([name, { read }]) => [name, ...read()])).toEqual([
      ['a', 1, 2],
      ['b', 3],
      ['c', 4],
    ]);
  });

  it.each<[string, unknown]>([
    ['model-00002-of-00002.safetensors has no tensor a', { a: 'model-00002-of-00002.safetensors' }],
    ['model-00003-of-00003.safetensors is missing', { a: 'model-00003-of-00003.safetensors' }],
    ['must be the name of a .safetensors file beside it', { a: '../model.safetensors' }],
    ['must be the name of a .safetensors file beside it', { a: '/etc/passwd' }],
    ['must be the name of a .safetensors file beside it', { a: 'x\0.safetensors' }],
    ['must be an object', 'model.safetensors'],
  ])('refuses a map that does not hold: %s', async (message, map) => {
    const index = await write(map);
    expect(() => readShardedSafetensors(index)).toThrow(message);
  });
});
