import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BertWeights } from '@embedfarm/checkpoint/bert-weights';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { writeWeights } from '@embedfarm/testkit/write-weights';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../engine.ts';
import type { EngineOptions } from '../engine-options.ts';
import { convertToInt8 } from './convert-int8.ts';
import { rowCosines } from './row-cosines.ts';

checkOpenHandles();

let directory: string;
let source: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-int8-'));
  source = await writeWeights(join(directory, 'weights'));
});
afterEach(() => rm(directory, { recursive: true }));

const TEXTS = ['the river', 'a', 'time and time again', '東京 42', 'of '.repeat(90)];

async function encode(options: EngineOptions, texts = TEXTS): Promise<Float32Array> {
  const engine = await Engine.open({ cacheDir: join(directory, 'cache'), devices: 'cpu:1', ...options });
  try {
    return (await engine.encode(texts)).values;
  } finally {
    await engine.close();
  }
}

describe('an engine with dtype int8', () => {
  it.each(['mean', 'cls', 'none', 'cls_pooled'] as const)(
    'gives vectors near those of float32, pooled by %s',
    async (pooling) => {
      const withPooler = { model: source, pooling };
      const [a, b] = [await encode({ ...withPooler, dtype: 'int8' }), await encode(withPooler)];
      expect(a).not.toEqual(b);
      expect(Math.min(...rowCosines(a, b, 32))).toBeGreaterThan(0.98);
    },
  );

  it.each(['mean', 'cls'] as const)('gives a text the same bits in every batch, by %s', async (pooling) => {
    const options = {
      model: source,
      dtype: 'int8',
      pooling,
      cacheDir: join(directory, 'cache'),
      devices: 'cpu:2',
    } as const;
    const engine = await Engine.open(options);
    const texts = Array.from({ length: 120 }, (_, index) => 'river of time '.repeat(1 + ((index * 7) % 40)));
    const together = await engine.encode(texts);
    for (const at of [0, 1, 59, 119]) {
      const alone = await engine.encode([texts[at] ?? '']);
      expect(alone.values).toEqual(together.values.subarray(at * 32, (at + 1) * 32));
    }
    await engine.close();
  });

  it('registers its dtype, under another fingerprint', async () => {
    const cacheDir = join(directory, 'cache');
    const open = { model: source, cacheDir, devices: 'cpu:1' };
    const [int8, float32] = [await Engine.open({ ...open, dtype: 'int8' }), await Engine.open(open)];
    expect(int8.registration.dtype).toBe('int8');
    expect(float32.registration.dtype).toBe('float32');
    expect(int8.registration.fingerprint).not.toBe(float32.registration.fingerprint);
    await int8.close();
    await float32.close();
  });

  it('takes the embedded model too', async () => {
    const [a, b] = [await encode({ dtype: 'int8' }), await encode({})];
    expect(Math.min(...rowCosines(a, b, 128))).toBeGreaterThan(0.98);
  });

  it('compares with float32 once: the verdict is kept', async () => {
    await encode({ model: source, dtype: 'int8' });
    const [kept] = await readdir(join(directory, 'cache', 'converted'));
    const file = join(directory, 'cache', 'converted', kept ?? '', 'int8-check.json');
    const verdict = JSON.parse(await readFile(file, 'utf8')) as { minCosine: number };
    expect(verdict.minCosine).toBeGreaterThan(0.98);
    await writeFile(file, JSON.stringify({ ...verdict, minCosine: 0.5, meanCosine: 0.75 }));
    await expect(encode({ model: source, dtype: 'int8' })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(/cosine 0\.5000 \(mean 0\.7500\), at least 0\.98 is needed/) as string,
    });
  });

  it('takes a verdict that cannot be for none, and compares again', async () => {
    const rows = await encode({ model: source, dtype: 'int8' });
    const [kept] = await readdir(join(directory, 'cache', 'converted'));
    const file = join(directory, 'cache', 'converted', kept ?? '', 'int8-check.json');
    const verdict = await readFile(file, 'utf8');
    await writeFile(file, JSON.stringify({ ...(JSON.parse(verdict) as object), minCosine: 99 }));
    expect(await encode({ model: source, dtype: 'int8' })).toEqual(rows);
    expect(await readFile(file, 'utf8')).toBe(verdict);
  });

  it('is refused with the measured cosine where the weights do not suit it, also the second time', async () => {
    const unfit = await writeWeights(join(directory, 'unfit'), { change: withGiants });
    const refused = expect.objectContaining({
      code: 'invalid_argument',
      detail: expect.stringMatching(/dtype int8 does not suit .*the cosine -?0\.\d{4}/) as string,
    }) as unknown;
    await expect(encode({ model: unfit, dtype: 'int8' })).rejects.toEqual(refused);
    const converted = await readdir(join(directory, 'cache', 'converted'));
    await expect(encode({ model: unfit, dtype: 'int8' })).rejects.toEqual(refused);
    expect(await readdir(join(directory, 'cache', 'converted'))).toEqual(converted);
  });

  it('is not made of a graph in float32, nor float32 of one in int8', async () => {
    const graph = await writeTinyModel(join(directory, 'graph'));
    await expect(encode({ model: graph, dtype: 'int8' })).rejects.toThrow(
      /dtype is int8, the graph of .*graph is float32: name the directory of its weights/,
    );
    const int8 = await convertToInt8(source, join(directory, 'int8'));
    await expect(encode({ model: int8.directory, dtype: 'float32' })).rejects.toThrow(/is int8/);
  });
});

describe('convertToInt8', () => {
  it('writes a directory that opens by itself, and says how near it is', async () => {
    const { directory: out, verdict } = await convertToInt8(source, join(directory, 'out'));
    expect(verdict).toMatchObject({ texts: 34, minCosine: expect.any(Number) as number });
    expect(JSON.parse(await readFile(join(out, 'embedfarm.json'), 'utf8'))).toMatchObject({ dtype: 'int8' });
    expect(await encode({ model: out })).toEqual(await encode({ model: source, dtype: 'int8' }));
    expect((await readdir(directory)).toSorted()).toEqual(['cache', 'out', 'weights']);
  });

  it('leaves nothing behind where int8 does not suit the model', async () => {
    const unfit = await writeWeights(join(directory, 'unfit'), { change: withGiants });
    await expect(convertToInt8(unfit, join(directory, 'out'))).rejects.toThrow(/does not suit .*unfit/);
    expect((await readdir(directory)).toSorted()).toEqual(['unfit', 'weights']);
  });

  it('does not touch what is there already', async () => {
    await expect(convertToInt8(source, source)).rejects.toThrow(/exists already/);
  });

  it('wants a verdict: a directory without one is refused', async () => {
    const { directory: out } = await convertToInt8(source, join(directory, 'out'));
    await rm(join(out, 'int8-check.json'));
    await utimes(out, 1, 1);
    await expect(encode({ model: out })).rejects.toThrow(
      /never compared with float32: convert the model again/,
    );
  });
});

/**
 * One input of every second feed-forward layer is 0 for every token (GELU of -1000), and has giant weights:
 * float32 is as it was, and in whole numbers nothing is left of the other weights.
 */
function withGiants(weights: BertWeights): BertWeights {
  const changed = new Map(weights);
  for (const [name, { shape, read }] of weights) {
    const [outputs = 0, inputs = 0] = shape;
    if (name.endsWith('intermediate.dense.bias'))
      changed.set(name, { shape, read: () => read().fill(-1000, 0, 1) });
    if (/layer\.\d+\.output\.dense\.weight$/.test(name)) {
      const giants = (): Float32Array => {
        const matrix = read();
        for (let row = 0; row < outputs; row += 1) matrix[row * inputs] = 1e4;
        return matrix;
      };
      changed.set(name, { shape, read: giants });
    }
  }
  return changed;
}
