import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredTensors } from '../stored-tensor.ts';
import { floatTensor, headerOf, writeBundle, type FixtureTensor } from './bundle.fixture.ts';
import { readTensorBundle } from './bundle.ts';
import { blockOf, handleOf, tableOf } from './table.fixture.ts';

let directory: string;
let prefix: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-bundle-'));
  prefix = join(directory, 'model.ckpt');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Enough tensors for many blocks, with names that share much. */
function manyTensors(count: number): Record<string, FixtureTensor> {
  const names = Array.from(
    { length: count },
    (_, i) => `bert/encoder/layer_${i % 12}/attention/self/${i}/kernel`,
  );
  return Object.fromEntries(
    names.map((name, i) => [name, floatTensor([2, 3], [i, -i, 0.5, 1e-30, i / 7, 3])]),
  );
}

describe('readTensorBundle', () => {
  it.each([
    { name: 'one block, one shard', options: {} },
    { name: 'many blocks and shards', options: { entriesPerBlock: 7, restartInterval: 3, shards: 5 } },
    {
      name: 'blocks packed by Snappy',
      options: { entriesPerBlock: 16, restartInterval: 16, snappy: true, shards: 2 },
    },
  ])('reads $name', async ({ options }) => {
    const written = manyTensors(100);
    const tensors = readTensorBundle(await writeBundle(prefix, written, options));
    expect(tensors.size).toBe(100);
    for (const [name, { shape, bytes }] of Object.entries(written)) {
      expect(tensors.get(name)).toMatchObject({ shape, type: 'float32' });
      expect(tensors.get(name)?.read()).toEqual(new Float32Array(bytes.slice().buffer));
    }
  });

  it('reads every type of number as float32', async () => {
    const bytesOf = (array: { buffer: ArrayBufferLike }): Uint8Array =>
      new Uint8Array(array.buffer as ArrayBuffer);
    const tensors = readTensorBundle(
      await writeBundle(prefix, {
        double: { type: 2, shape: [3], bytes: bytesOf(Float64Array.of(0.1, -2, 1e300)) },
        int32: { type: 3, shape: [2], bytes: bytesOf(Int32Array.of(-5, 7)) },
        int64: { type: 9, shape: [], bytes: bytesOf(BigInt64Array.of(-20000n)) },
        brain: { type: 14, shape: [3], bytes: bytesOf(Uint16Array.of(0x3fc0, 0xc000, 0x0001)) },
        half: {
          type: 19,
          shape: [6],
          bytes: bytesOf(Uint16Array.of(0x3e00, 0xc000, 1, 0x7bff, 0x8000, 0xfc00)),
        },
        empty: { shape: [0, 4], bytes: new Uint8Array() },
      }),
    );
    const values = (name: string): number[] => [...(tensors.get(name)?.read() ?? [])];
    expect(values('double')).toEqual([Math.fround(0.1), -2, Infinity]);
    expect(values('int32')).toEqual([-5, 7]);
    expect(values('int64')).toEqual([-20000]);
    expect(values('brain')).toEqual([1.5, -2, 2 ** -133]);
    expect(values('half')).toEqual([1.5, -2, 2 ** -24, 65504, -0, -Infinity]);
    expect(values('empty')).toEqual([]);
  });

  it('lists what it cannot read, and says so when it is asked for', async () => {
    const tensors = readTensorBundle(
      await writeBundle(prefix, {
        flags: { type: 10, shape: [2], bytes: Uint8Array.of(0, 1) },
        strange: { type: 77, shape: [2], bytes: Uint8Array.of(0, 1) },
        parted: { shape: [4], bytes: new Uint8Array(), lies: { slices: 2 } },
        '\0\u0001parted': floatTensor([2], [1, 2]),
      }),
    );
    expect([...tensors.keys()]).toEqual(['flags', 'parted', 'strange']);
    expect(() => tensors.get('flags')?.read()).toThrow('tensor flags has elements of type bool');
    expect(() => tensors.get('strange')?.read()).toThrow('tensor strange has elements of type number 77');
    expect(() => tensors.get('parted')?.read()).toThrow('tensor parted is kept in 2 slices');
  });

  it('opens without the shards, and names the one that a tensor needs', async () => {
    await writeBundle(prefix, manyTensors(4), { shards: 2 });
    await rm(`${prefix}.data-00001-of-00002`);
    const read = readEach(readTensorBundle(prefix));
    expect(read.filter((fault) => fault === undefined)).toHaveLength(2);
    expect(read.filter((fault) => fault?.includes('model.ckpt.data-00001-of-00002 is missing'))).toHaveLength(
      2,
    );
  });

  it('names the shard that was cut off, and the tensor', async () => {
    await writeBundle(prefix, { whole: floatTensor([1], [1]), zcut: floatTensor([2], [1, 2]) });
    await truncate(`${prefix}.data-00000-of-00001`, 8);
    const tensors = readTensorBundle(prefix);
    expect(tensors.get('whole')?.read()).toEqual(Float32Array.of(1));
    expect(() => tensors.get('zcut')?.read()).toThrow(
      'data-00000-of-00001: tensor zcut is said to be bytes 4 to 12, the file has 8',
    );
  });

  it('finds a changed value by its checksum', async () => {
    await writeBundle(prefix, { a: floatTensor([2], [1, 2]) });
    await writeFile(`${prefix}.data-00000-of-00001`, new Uint8Array(8).fill(1));
    expect(() => readTensorBundle(prefix).get('a')?.read()).toThrow(
      /tensor a has the checksum \d+, expected \d+/,
    );
  });

  it.each<[string, Partial<FixtureTensor['lies']>]>([
    [
      'tensor a is float32 [100000, 250000], that is 100000000000 bytes, but 8 are kept',
      { shape: [1e5, 2.5e5] },
    ],
    ['tensor a [2] is said to be 8 bytes at 0 of shard 3 of 1', { shard: 3 }],
    ['tensor a [2] is said to be 8 bytes at 0 of shard -1 of 1', { shard: -1 }],
    ['tensor a [2] is said to be 8 bytes at -8 of shard 0', { offset: -8 }],
    ['tensor a [2] is said to be -8 bytes', { bytes: -8 }],
    ['tensor a [-1] is said to be', { shape: [-1] }],
  ])('refuses an entry that lies: %s', async (message, lies) => {
    await writeBundle(prefix, { a: { ...floatTensor([2], [1, 2]), ...(lies && { lies }) } });
    expect(() => readTensorBundle(prefix)).toThrow(message);
  });

  it('allocates nothing for 100 GB that are not there', async () => {
    const lies = { shape: [25e9], bytes: 100e9 };
    await writeBundle(prefix, { a: { ...floatTensor([2], [1, 2]), lies } });
    expect(() => readTensorBundle(prefix).get('a')?.read()).toThrow(
      'tensor a is said to be bytes 0 to 100000000000, the file has 8',
    );
  });

  it.each([
    ['was written by a big-endian machine', headerOf({ endianness: 1 })],
    ['asks for a reader of version 2, this is 1', headerOf({ minConsumer: 2 })],
    ['says it has 0 shards', headerOf({ shards: 0 })],
    ['says it has 100000 shards', headerOf({ shards: 100_000 })],
    ['the header is damaged', Uint8Array.of(0x1a, 0xff)],
  ])('refuses a bundle whose header %s', async (message, header) => {
    await writeBundle(prefix, { a: floatTensor([1], [1]) }, { header });
    expect(() => readTensorBundle(prefix)).toThrow(message);
  });

  it('refuses an index that names a block twice, or blocks that overlap', async () => {
    for (const handles of [
      [handleOf(0, 40), handleOf(0, 40)],
      [handleOf(0, 40), handleOf(20, 40)],
      [handleOf(1e12, 40)],
    ]) {
      const index = blockOf(
        handles.map((handle, i) => [`k${i}`, handle]),
        1,
      );
      const damage = (content: Uint8Array, block: unknown): Uint8Array =>
        block === 'index' ? index : content;
      await writeBundle(prefix, manyTensors(4), { damage });
      expect(() => readTensorBundle(prefix)).toThrow(/the index is damaged: (?:a|the) block/);
    }
  });

  it('refuses more entries than any model has, and an index of more than 16 MB', async () => {
    const entries = Array.from({ length: 100_001 }, (_, i): [string, Uint8Array] => [
      String(i).padStart(6, '0'),
      new Uint8Array(),
    ]);
    for (const entriesPerBlock of [200_000, 50_000]) {
      await writeFile(`${prefix}.index`, tableOf(entries, { entriesPerBlock }));
      expect(() => readTensorBundle(prefix)).toThrow('has more than 100000 entries');
    }
    await truncate(`${prefix}.index`, 2 ** 24 + 1);
    expect(() => readTensorBundle(prefix)).toThrow('has 16777217 bytes, limit is 16777216');
  });

  it.each([
    ['a file that is no table', new Uint8Array(100), 'it does not end as a table does'],
    ['an empty file', new Uint8Array(), '0 bytes are too few for a table'],
  ])('refuses %s', async (_, bytes, message) => {
    await writeFile(`${prefix}.index`, bytes);
    expect(() => readTensorBundle(prefix)).toThrow(`${prefix}.index: the index is damaged: ${message}`);
  });

  it('names the index that is missing', () => {
    expect(() => readTensorBundle(prefix)).toThrow(`[invalid_argument] ${prefix}.index is missing`);
  });
});

describe('checkpoints that TensorFlow wrote', () => {
  // In the checkout of the project only: see their SOURCE.txt.
  const data = fileURLToPath(new URL('../../../../../shared/data/', import.meta.url));

  it.for<[string, number]>([
    ['keras-bert-tiny-ckpt/bert_model.ckpt', 139],
    ['tf-bundles/saved_model_counter/variables', 1],
    ['tf-bundles/saved_model_half_plus_three/variables', 3],
    ['tf-bundles/saved_model_half_plus_two_cpu/variables', 5],
    ['tf-bundles/saved_model_half_plus_two_mkl/variables', 9],
    ['tf-bundles/saved_model_half_plus_two_tf2_cpu/variables', 4],
    ['tf-bundles/tf_text_regression/variables', 1],
  ])('%s is read tensor by tensor', ([path, count], { skip }) => {
    const tensors = read(path, skip);
    expect(tensors.size).toBe(count);
    const expected = JSON.parse(readFileSync(join(data, path, '../expected_tensors.json'), 'utf8')) as {
      tensors: Record<string, { dtype: string; shape: number[]; values?: unknown[] }>;
    };
    expect([...tensors.keys()].toSorted()).toEqual(Object.keys(expected.tensors).toSorted());
    for (const [name, { dtype, shape, values }] of Object.entries(expected.tensors)) {
      expect(tensors.get(name)).toMatchObject({ type: dtype, shape });
      expect(valuesOf(tensors, name), name).toEqual(values ? floats(values) : `elements of type ${dtype}`);
    }
  });

  it('of ALBERT is listed from its index alone', ({ skip }) => {
    const tensors = read('tf-bundles/albert_tiny_zh_index_only/albert_model.ckpt', skip);
    expect(tensors.size).toBe(31);
    expect(tensors.get('bert/embeddings/word_embeddings')?.shape).toEqual([21_128, 128]);
    expect(readEach(tensors).every((fault) => fault?.includes('data-00000-of-00001 is missing'))).toBe(true);
  });

  function read(path: string, skip: () => never): StoredTensors {
    const file = join(data, path);
    if (!existsSync(`${file}.index`)) {
      console.warn(`skipped: no ${file}.index, a checkpoint of others`);
      skip();
    }
    return readTensorBundle(file);
  }

  function valuesOf(tensors: StoredTensors, name: string): number[] | string | undefined {
    try {
      return [...(tensors.get(name)?.read() ?? [])];
    } catch (error) {
      return /elements of type \w+/.exec((error as Error).message)?.[0];
    }
  }

  function floats(values: unknown[]): number[] {
    return (values.flat(9) as number[]).map(Math.fround);
  }
});

function readEach(tensors: StoredTensors): (string | undefined)[] {
  return [...tensors.values()].map(({ read }) => {
    try {
      read();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  });
}
