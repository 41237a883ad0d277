import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureEmbeddedModel } from './embedded-model.ts';
import { embeddedVocabulary } from './embedded-vocabulary.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'embedfarm-cache-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

describe('ensureEmbeddedModel', () => {
  it('writes the model once', async () => {
    const directory = await ensureEmbeddedModel(join(cache, 'not', 'there', 'yet'));
    const before = await stat(join(directory, 'model.onnx.data'));
    expect(await ensureEmbeddedModel(join(cache, 'not', 'there', 'yet'))).toBe(directory);
    expect((await stat(join(directory, 'model.onnx.data'))).mtimeMs).toBe(before.mtimeMs);
    expect(JSON.parse(await readFile(join(directory, 'embedfarm.json'), 'utf8'))).toEqual({
      format: 1,
      graph: 'packed',
      layers: 2,
      output: 'tokens',
      pooling: 'mean',
      poolingLayers: [1],
      dtype: 'float32',
      maxPositions: 512,
      meaningful: false,
      sha256: {
        'model.onnx': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        'model.onnx.data': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    });
  });

  it('gives one directory to all who ask at the same time, and leaves nothing else', async () => {
    const asked = await Promise.all(Array.from({ length: 4 }, () => ensureEmbeddedModel(cache)));
    expect(new Set(asked).size).toBe(1);
    expect(await readdir(cache)).toEqual([asked[0]?.slice(cache.length + 1)]);
  });

  it('has a directory for every graph, and one for all poolings of it', async () => {
    const mean = await ensureEmbeddedModel(cache);
    expect(await ensureEmbeddedModel(cache, { pooling: 'none' })).toBe(mean);
    expect(await ensureEmbeddedModel(cache, { poolingLayers: [-1] })).toBe(mean);
    const others = [
      await ensureEmbeddedModel(cache, { pooling: 'cls' }),
      await ensureEmbeddedModel(cache, { pooling: 'cls_pooled' }),
      await ensureEmbeddedModel(cache, { poolingLayers: [-2] }),
    ];
    expect(new Set([mean, ...others]).size).toBe(4);
  });

  it('refuses a directory that is there and is no model', async () => {
    const directory = await ensureEmbeddedModel(cache);
    await rm(join(directory, 'embedfarm.json'));
    await expect(ensureEmbeddedModel(cache)).rejects.toThrow(`${directory} exists already`);
  });

  it('gives vectors that tell texts apart, and brings texts that share words nearer', async () => {
    const session = await InferenceSession.create(join(await ensureEmbeddedModel(cache), 'model.onnx'), {
      intraOpNumThreads: 1,
    });
    const encode = (text: string): Promise<Float32Array> => meanVector(session, text);
    const film = await encode('the movie was good and we loved every part of it');
    const other = await encode('the movie was bad and we loved no part of it');
    const market = await encode('stock price fell on monday after the bank report');
    const short = await encode('cat');
    await session.release();
    expect(cosine(film, market)).toBeLessThan(0.7);
    expect(cosine(film, short)).toBeLessThan(0.7);
    expect(cosine(film, other)).toBeGreaterThan(cosine(film, market));
  });
});

describe('embeddedVocabulary', () => {
  const vocabulary = embeddedVocabulary();

  it('begins with the special tokens, holds a few thousand entries, and none twice', () => {
    expect(vocabulary.slice(0, 5)).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
    expect(vocabulary.length).toBeGreaterThan(3000);
    expect(vocabulary.length).toBeLessThan(8000);
    expect(vocabulary.filter((entry) => entry.trim() !== entry || entry === '')).toEqual([]);
  });

  it('holds every printable ASCII character, alone and inside a word', () => {
    const entries = new Set(vocabulary);
    for (let code = 0x21; code <= 0x7e; code += 1) {
      const character = String.fromCharCode(code);
      expect(entries.has(character) && entries.has(`##${character}`), character).toBe(true);
    }
  });
});

/** Words of the vocabulary only: tokenizing is not this package's part. */
async function meanVector(session: InferenceSession, text: string): Promise<Float32Array> {
  const vocabulary = embeddedVocabulary();
  const ids = ['[CLS]', ...text.split(' '), '[SEP]'].map((word) => vocabulary.indexOf(word));
  expect(Math.min(...ids)).toBeGreaterThanOrEqual(0);
  const tokens = ids.length;
  const places = Array.from(ids.keys());
  const { hidden } = await session.run({
    ids: new Tensor('int32', Int32Array.from(ids), [tokens]),
    positions: new Tensor('int32', Int32Array.from(places), [tokens]),
    types: new Tensor('int32', new Int32Array(tokens), [tokens]),
    pad: new Tensor('int32', Int32Array.from(places), [1, 1, tokens]),
    unpad: new Tensor('int32', Int32Array.from(places), [tokens]),
    bias: new Tensor('float32', new Float32Array(tokens), [1, 1, 1, tokens]),
  });
  const states = hidden?.data as Float32Array;
  const size = states.length / tokens;
  return Float32Array.from({ length: size }, (_, i) =>
    places.reduce((sum, place) => sum + (states[place * size + i] ?? Number.NaN) / tokens, 0),
  );
}

function cosine(left: Float32Array, right: Float32Array): number {
  const dot = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0);
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}
