import { mkdtemp, open, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import { writeRandomModel } from '@embedfarm/checkpoint/random-model';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../engine.ts';
import type { EngineOptions } from '../engine-options.ts';
import { prepackGraph } from '../device/prepack-graph.ts';
import { FileHashes, hashFile } from './file-hashes.ts';
import { hashModel } from './fingerprint.ts';
import { readModelSpec } from './model-spec.ts';
import { ensurePrepacked } from './prepacked-graph.ts';

checkOpenHandles();

// A whole second: utimes keeps no fractions of a millisecond.
const WRITTEN = new Date('2020-01-01');

// Two blocks of MiniLM: 19 MB, just large enough to be worth it.
let model: string;
let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'embedfarm-prepacked-models-'));
  const vocabulary = embeddedVocabulary();
  model = await writeRandomModel(join(models, 'two-blocks'), 'minilm', {
    vocabulary,
    vocabularySize: vocabulary.length,
    layers: 2,
    seed: 1,
  });
});
afterAll(() => rm(models, { recursive: true }));

let cacheFolder: string;
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'embedfarm-prepacked-'));
});
afterEach(() => rm(cacheFolder, { recursive: true }));

const FEATURES = { key: 'a processor', addsBytesExactly: true };

interface Wishes {
  readonly key?: string;
  readonly verify?: boolean;
  readonly onNotice?: (notice: string) => void;
}

async function ensure({ key = FEATURES.key, verify = false, onNotice }: Wishes = {}): Promise<string> {
  const spec = await readModelSpec(model);
  const hashes = await hashModel(spec, new FileHashes(cacheFolder));
  const features = { ...FEATURES, key };
  return ensurePrepacked(spec, { cacheFolder, features, hashes, verify, onNotice });
}

const prepacked = async (): Promise<string[]> => readdir(join(cacheFolder, 'prepacked'));

describe('ensurePrepacked', () => {
  it('makes a form for the processor once', async () => {
    const graph = await ensure();
    expect(graph).not.toBe(join(model, 'model.onnx'));
    const made = (await stat(graph)).mtimeMs;
    expect(await ensure()).toBe(graph);
    expect((await stat(graph)).mtimeMs).toBe(made);
    expect(await ensure({ key: 'another processor' })).not.toBe(graph);
    expect(await prepacked()).toHaveLength(2);
  });

  it('makes one for two that ask at the same time', async () => {
    const [one, two] = await Promise.all([ensure(), ensure()]);
    expect(one).toBe(two);
    expect(await prepacked()).toHaveLength(1);
  });

  it.each([
    ['cut short', (weights: string) => truncate(weights, 1000)],
    ['touched', (weights: string) => utimes(weights, 1, 1)],
  ])('makes it again when its weights were %s', async (_what, damage) => {
    const graph = await ensure();
    const weights = join(graph, '..', 'weights.bin');
    const { size } = await stat(weights);
    await damage(weights);
    expect(await ensure()).toBe(graph);
    expect((await stat(weights)).size).toBe(size);
    expect((await stat(weights)).mtimeMs).toBeGreaterThan(1_000_000);
  });

  it('finds a flipped byte when it is told to verify, and makes it again', async () => {
    const graph = await ensure();
    const weights = join(graph, '..', 'weights.bin');
    const sound = await hashFile(weights);
    await flipByte(weights, 1_000_000);
    await noteTimes(join(graph, '..', 'prepacked.json'), weights);
    await ensure();
    expect(await hashFile(weights)).not.toBe(sound);
    await ensure({ verify: true });
    expect(await hashFile(weights)).toBe(sound);
  });

  it('takes the model as it is where the cache cannot be written, and says so', async () => {
    await writeFile(join(cacheFolder, 'prepacked'), 'a file in the way');
    const notices: string[] = [];
    const graph = await ensure({ onNotice: (notice) => void notices.push(notice) });
    expect(graph).toBe(join(model, 'model.onnx'));
    expect(notices).toEqual([expect.stringMatching(/^weights are loaded as they are, slower: .*ENOTDIR/)]);
  });
});

describe('an engine with prepacked weights', () => {
  it('gives the bits of one without, and finds a flipped byte of the model with verify', async () => {
    const texts = ['the river', 'time '.repeat(60), 'a'];
    const encode = async (options: EngineOptions): Promise<Float32Array> => {
      const engine = await Engine.open({ model, devices: 'cpu:2', ...options });
      const { values } = await engine.encode(texts);
      await engine.close();
      return values;
    };
    await utimes(join(model, 'model.onnx.data'), WRITTEN, WRITTEN);
    const blocked = join(cacheFolder, 'blocked');
    await writeFile(blocked, '');
    const plain = await encode({ cacheDir: blocked });
    expect(await encode({ cacheDir: cacheFolder })).toEqual(plain);
    expect(await encode({ cacheDir: cacheFolder, verify: true })).toEqual(plain);
    const data = join(model, 'model.onnx.data');
    await flipByte(data, 10_000_000);
    await utimes(data, WRITTEN, WRITTEN);
    await noteCtimes(join(cacheFolder, 'file-hashes'), data);
    // What is not looked at is not seen: the weights come from the cache.
    expect(await encode({ cacheDir: cacheFolder })).toEqual(plain);
    await expect(encode({ cacheDir: cacheFolder, verify: true })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(/model\.onnx\.data is damaged/) as string,
    });
    await flipByte(data, 10_000_000);
  });
});

describe('prepackGraph', () => {
  it('names a file that is no model', async () => {
    const garbage = join(cacheFolder, 'garbage.onnx');
    await writeFile(garbage, 'no model');
    await expect(prepackGraph(garbage, cacheFolder)).rejects.toThrow(/garbage\.onnx: .*Protobuf/);
  });
});

/** As if the damage had not changed the file's time: a disk does it so. */
async function noteTimes(recordFile: string, weights: string): Promise<void> {
  const record = JSON.parse(await readFile(recordFile, 'utf8')) as Record<string, object>;
  const { mtimeMs } = await stat(weights);
  await writeFile(
    recordFile,
    JSON.stringify({ ...record, 'weights.bin': { ...record['weights.bin'], mtimeMs } }),
  );
}

/** The same for the notes of hashes. */
async function noteCtimes(notes: string, weights: string): Promise<void> {
  const { ctimeMs } = await stat(weights);
  for (const name of await readdir(notes)) {
    const note = JSON.parse(await readFile(join(notes, name), 'utf8')) as object;
    await writeFile(join(notes, name), JSON.stringify({ ...note, ctimeMs }));
  }
}

async function flipByte(path: string, at: number): Promise<void> {
  const handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
  await handle.close();
}
