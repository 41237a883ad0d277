import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { safetensorsOf } from '@embedfarm/testkit/safetensors-of';
import { tinyModel, writePlainOnnxModel } from '@embedfarm/testkit/tiny-model';
import { writeWeights } from '@embedfarm/testkit/write-weights';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Engine } from '../engine.ts';
import { ensureConverted } from './ensure-converted.ts';

let directory: string;
let cacheDir: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-convert-'));
  cacheDir = join(directory, 'cache');
});
afterEach(() => rm(directory, { recursive: true }));

it('opens weights as they are, converts them once, and tells how far it is', async () => {
  const source = await writeSource('my-bert');
  const progress: number[] = [];
  const options = { model: source, cacheDir, devices: 'cpu:1' };
  const first = await Engine.open(options, { onConvert: ({ done, total }) => progress.push(done / total) });
  const block = await first.encode(['the river']);
  await first.close();
  expect(progress.at(-1)).toBe(1);
  const [kept, ...others] = await readdir(join(cacheDir, 'converted'));
  expect(others).toEqual([]);
  expect(kept).toMatch(/^my-bert-[0-9a-f]{16}$/);

  const again = await Engine.open(options, { onConvert: () => progress.push(-1) });
  expect(progress).not.toContain(-1);
  expect(again.registration.fingerprint).toBe(first.registration.fingerprint);
  expect((await again.encode(['the river'])).values).toEqual(block.values);
  await again.close();
});

it('converts again when a file or a choice of the graph changes, never for another choice', async () => {
  const source = await writeSource('my-bert');
  const plain = await ensureConverted(source, cacheDir, {});
  expect(await ensureConverted(source, cacheDir, {})).toBe(plain);
  const other = await ensureConverted(source, cacheDir, {
    poolingLayers: [-2],
    pooling: 'mean',
    normalize: false,
  });
  expect(other).not.toBe(plain);
  await utimes(join(source, 'model.safetensors'), 1, 1);
  expect(await ensureConverted(source, cacheDir, {})).not.toBe(plain);
});

it('knows files that never change by their identity, wherever they are', async () => {
  const identity = 'someone/my-bert@0123456789abcdef0123456789abcdef01234567';
  const one = await ensureConverted(await writeSource('my-bert'), cacheDir, {}, { identity });
  await rename(join(directory, 'my-bert'), join(directory, 'elsewhere'));
  await mkdir(join(directory, 'moved'));
  await rename(join(directory, 'elsewhere'), join(directory, 'moved', 'my-bert'));
  const moved = join(directory, 'moved', 'my-bert');
  await utimes(join(moved, 'model.safetensors'), 1, 1);
  expect(await ensureConverted(moved, cacheDir, {}, { identity })).toBe(one);
  expect(await ensureConverted(moved, cacheDir, { pooling: 'cls' }, { identity })).not.toBe(one);
  expect(await ensureConverted(moved, cacheDir, {}, { identity: `${identity}0` })).not.toBe(one);
});

it('converts once for two that ask at the same time', async () => {
  const source = await writeSource('my-bert');
  const [one, two] = await Promise.all([
    ensureConverted(source, cacheDir, {}),
    ensureConverted(source, cacheDir, {}),
  ]);
  expect(one).toBe(two);
  expect(await readdir(join(cacheDir, 'converted'))).toHaveLength(1);
});

it('notices weights of the same size and time of change', async () => {
  const source = await writeSource('my-bert');
  await utimes(join(source, 'model.safetensors'), 1, 1);
  const one = await ensureConverted(source, cacheDir, {});
  await rm(source, { recursive: true });
  await writeSource('my-bert');
  await utimes(join(source, 'model.safetensors'), 1, 1);
  expect(await ensureConverted(source, cacheDir, {})).not.toBe(one);
});

it('passes over a link to nowhere', async () => {
  const source = await writeSource('my-bert');
  await symlink(join(directory, 'nowhere'), join(source, 'training.log'));
  expect(await ensureConverted(source, cacheDir, {})).toContain(cacheDir);
});

it.each(['0_Transformer', '0_BERT'])('finds the encoder that modules.json says is in %s', async (folder) => {
  const source = join(directory, 'sentence');
  await writeWeights(join(source, folder));
  const modules = [
    { type: 'sentence_transformers.models.Transformer', path: folder },
    { type: 'sentence_transformers.models.Pooling', path: '1_Pooling' },
  ];
  await writeFile(join(source, 'modules.json'), JSON.stringify(modules));
  await mkdir(join(source, '1_Pooling'));
  await writeFile(join(source, '1_Pooling', 'config.json'), '{"pooling_mode_cls_token": true}');
  const engine = await Engine.open({ model: source, cacheDir, devices: 'cpu:1' });
  const { pooling, normalize } = engine.registration;
  expect({ pooling, normalize }).toEqual({ pooling: 'cls', normalize: false });
  await engine.close();
});

it('takes away what a killed conversion left, also where another one has ended since', async () => {
  const source = await writeSource('my-bert');
  const kept = await ensureConverted(source, cacheDir, {});
  const left = join(cacheDir, 'converted', `.${basename(kept)}.${randomUUID()}.tmp`);
  await mkdir(left);
  await utimes(left, 1, 1);
  expect(await ensureConverted(source, cacheDir, {})).toBe(kept);
  expect(await readdir(join(cacheDir, 'converted'))).toEqual([basename(kept)]);
});

it('takes a directory with a graph as it is', async () => {
  const plain = join(directory, 'plain');
  await writePlainOnnxModel(plain);
  expect(await ensureConverted(plain, cacheDir, {})).toBe(plain);
});

it('takes the export beside weights that it cannot read', async () => {
  const plain = join(directory, 'plain');
  await writePlainOnnxModel(plain, { modelFile: 'onnx/model.onnx' });
  const config = JSON.parse(await readFile(join(plain, 'config.json'), 'utf8')) as object;
  await writeFile(join(plain, 'model.safetensors'), safetensorsOf(tinyModel().weights));
  expect(await ensureConverted(plain, cacheDir, {})).not.toBe(plain);
  await writeFile(join(plain, 'config.json'), JSON.stringify({ ...config, model_type: 'albert' }));
  expect(await ensureConverted(plain, cacheDir, {})).toBe(plain);
  const relative = { ...config, position_embedding_type: 'relative_key' };
  await writeFile(join(plain, 'config.json'), JSON.stringify(relative));
  expect(await ensureConverted(plain, cacheDir, {})).toBe(plain);
});

it('names what is damaged, and leaves nothing behind', async () => {
  const source = await writeSource('my-bert');
  await writeFile(join(source, 'model.safetensors'), 'garbage');
  await expect(ensureConverted(source, cacheDir, {})).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('model.safetensors'),
  });
  await expect(readdir(join(cacheDir, 'converted'))).rejects.toThrow('ENOENT');
});

it('says which folder cannot hold what it makes', async () => {
  await writeFile(cacheDir, 'a file where a folder should be');
  await expect(ensureConverted(await writeSource('my-bert'), cacheDir, {})).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/cache\/converted\/my-bert-[0-9a-f]{16} cannot be kept: ENOTDIR/),
  });
});

const writeSource = (name: string): Promise<string> => writeWeights(join(directory, name));
