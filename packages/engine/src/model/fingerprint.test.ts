import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePlainOnnxModel, writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findExternalData } from './external-data.ts';
import { FileHashes } from './file-hashes.ts';
import { fingerprintModel, hashModel } from './fingerprint.ts';
import { readModelSpec } from './model-spec.ts';

let directory: string;
let model: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fingerprint-'));
  model = await writeTinyModel(join(directory, 'tiny'));
});
afterAll(() => rm(directory, { recursive: true }));

const fingerprintOf = async (path: string, wishes = {}): Promise<string> => {
  const spec = await readModelSpec(path, wishes);
  return fingerprintModel(spec, await hashModel(spec, new FileHashes(join(directory, 'cache'))));
};

async function copy(name: string): Promise<string> {
  const target = join(directory, name);
  await cp(model, target, { recursive: true });
  return target;
}

describe('fingerprintModel', () => {
  it('is the same for the same files elsewhere', async () => {
    expect(await fingerprintOf(await copy('elsewhere'))).toBe(await fingerprintOf(model));
  });

  it.each(['model.onnx', 'model.onnx.data', 'vocab.txt'])('changes with %s', async (name) => {
    const [before, changed] = [await copy(`before-${name}`), await copy(`changed-${name}`)];
    // Of a graph of somebody else nobody knows what its bytes should be.
    for (const foreign of [before, changed]) await rm(join(foreign, 'embedfarm.json'));
    await appendFile(join(changed, name), 'x');
    expect(await fingerprintOf(changed)).not.toBe(await fingerprintOf(before));
  });

  it.each(['model.onnx', 'model.onnx.data'])('names a %s that is not what was written', async (name) => {
    const damaged = await copy(`damaged-${name}`);
    await appendFile(join(damaged, name), 'x');
    await expect(fingerprintOf(damaged)).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(new RegExp(`${name} is damaged: its SHA-256 is`)) as string,
    });
  });

  it('changes with every wish', async () => {
    const fingerprints = [
      {},
      { pooling: 'cls' },
      { normalize: false },
      { maskClsSep: true },
      { maxSequenceLength: 25 },
      { lowercase: false },
    ].map((wishes) => fingerprintOf(model, wishes));
    expect(new Set(await Promise.all(fingerprints)).size).toBe(6);
  });

  it('changes with the prompts, their default, and whether they are pooled', async () => {
    const prompted = await copy('prompted');
    const fingerprints = [await fingerprintOf(prompted)];
    for (const config of [
      { prompts: { query: 'query: ' } },
      { prompts: { query: 'q: ' } },
      { prompts: { query: 'q: ' }, default_prompt_name: 'query' },
    ]) {
      await writeFile(join(prompted, 'config_sentence_transformers.json'), JSON.stringify(config));
      fingerprints.push(await fingerprintOf(prompted));
    }
    await writeFile(join(prompted, '1_Pooling/config.json'), JSON.stringify({ include_prompt: false }));
    fingerprints.push(await fingerprintOf(prompted));
    expect(new Set(fingerprints).size).toBe(5);
  });

  it('changes with casing', async () => {
    const cased = await copy('cased');
    await writeFile(join(cased, 'tokenizer_config.json'), JSON.stringify({ do_lower_case: false }));
    expect(await fingerprintOf(cased)).not.toBe(await fingerprintOf(model));
  });
});

describe('findExternalData', () => {
  it('finds the files that a graph names', async () => {
    expect(await findExternalData(join(model, 'model.onnx'))).toEqual([join(model, 'model.onnx.data')]);
    const plain = await writePlainOnnxModel(join(directory, 'plain'), { modelFile: 'onnx/model.onnx' });
    expect(await findExternalData(join(plain, 'onnx/model.onnx'))).toEqual([
      join(plain, 'onnx/model.onnx.data'),
    ]);
  });

  it('refuses data outside the folder, and what would be read for ever', async () => {
    const path = join(await copy('astray'), 'model.onnx');
    for (const name of ['../weights.bin', '../../../../../../dev/zero', '..', '.']) {
      const entry = [Buffer.from('\n\x08location\x12'), Buffer.from([name.length]), Buffer.from(name)];
      await writeFile(path, Buffer.concat(entry));
      await expect(findExternalData(path), name).rejects.toMatchObject({
        code: 'invalid_argument',
        detail: expect.stringContaining(path) as string,
      });
    }
  });

  it('finds none in a graph without any', async () => {
    const path = join(directory, 'inline.onnx');
    await writeFile(path, Buffer.alloc(3 << 20, 'location'));
    expect(await findExternalData(path)).toEqual([]);
  });

  it('finds a name across two pieces of the file', async () => {
    const path = join(directory, 'large.onnx');
    await writeFile(join(directory, 'weights.bin'), '');
    for (const before of [(1 << 20) - 20, (1 << 20) - 10, (1 << 20) - 5]) {
      await writeFile(
        path,
        Buffer.concat([
          Buffer.alloc(before),
          Buffer.from('\n\x08location\x12\x0bweights.bin'),
          Buffer.alloc(99),
        ]),
      );
      expect(await findExternalData(path)).toEqual([join(directory, 'weights.bin')]);
    }
  });
});
