import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBertConfig } from '@embedfarm/checkpoint/bert-config';
import { convertModel, type ConvertOptions } from '@embedfarm/checkpoint/convert';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { referenceHidden, referencePool } from '@embedfarm/testkit/reference-encoder';
import { safetensorsOf } from '@embedfarm/testkit/safetensors-of';
import { tinyModel } from '@embedfarm/testkit/tiny-model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { packBatch } from './device/pack-batch.ts';
import { Engine } from './engine.ts';

checkOpenHandles();

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-convert-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('a converted model', () => {
  it('gives the vectors of the float64 reference', async () => {
    const { config, weights, vocabulary } = tinyModel();
    const source = join(directory, 'source');
    await mkdir(source);
    await writeFile(join(source, 'config.json'), JSON.stringify(formatBertConfig(config)));
    await writeFile(join(source, 'vocab.txt'), vocabulary.join('\n'));
    await writeFile(join(source, 'model.safetensors'), safetensorsOf(weights));
    const ids = ['[CLS]', 'the', 'river', '[SEP]'].map((token) => vocabulary.indexOf(token));
    for (const pooling of ['mean', 'cls', 'max'] as const) {
      const { directory: model } = await convertModel(source, join(directory, pooling), { pooling });
      const expected = referencePool(
        referenceHidden(config, weights, ids),
        4,
        config.hiddenSize,
        pooling,
        true,
      );
      expect(largestDifference(await encodeWith(model, ['The  RIVER']), expected)).toBeLessThan(1e-5);
    }
  });
});

// In the checkout of the project only: see their SOURCE.txt.
const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));

function need(path: string, skip: () => never): string {
  const found = join(DATA, path);
  if (!existsSync(found)) {
    console.warn(`skipped: no ${found}, a pretrained model and what others compute with it`);
    skip();
  }
  return found;
}

interface TrainedCase {
  readonly text: string | string[];
  readonly gelu: 'erf' | 'tanh';
  readonly input_ids: number[];
  readonly token_type_ids: number[];
  readonly attention_mask: number[];
  /** The embeddings, then every block; real tokens only. */
  readonly hidden_states: number[][][];
}

describe('a checkpoint of run_pretraining.py', () => {
  it.for(['erf', 'tanh'] as const)(
    'has the hidden states of others to 1e-5, with gelu as %s',
    async (gelu, { skip }) => {
      const data = need('keras-bert-tiny-ckpt', skip);
      const cases = casesOf<TrainedCase>(data, gelu);
      expect(cases).toHaveLength(12);
      const source = await copyOf(data, ['bert_config.json', 'vocab.txt', ...bundleOf(1)], gelu);
      for (const layers of [1, 2]) {
        const run = await openGraph(source, { layers }, 4);
        for (const { input_ids, token_type_ids, attention_mask, hidden_states } of cases) {
          const tokens = attention_mask.reduce((sum, bit) => sum + bit, 0);
          const states = await run(input_ids.slice(0, tokens), token_type_ids.slice(0, tokens));
          expect(largestDifference(states, hidden_states[layers]?.flat() ?? [])).toBeLessThan(1e-5);
        }
      }
    },
  );

  it('has the vectors of others from text on, to 1e-5', async ({ skip }) => {
    const data = need('keras-bert-tiny-ckpt', skip);
    const texts = casesOf<TrainedCase>(data, 'erf').filter(({ text }) => typeof text === 'string');
    const { directory: model, ...converted } = await convertModel(data, join(directory, 'out'), {
      normalize: false,
    });
    expect(converted).toMatchObject({ format: 'tensor_bundle', lowercase: true, casingFrom: 'vocabulary' });
    const vectors = await encodeWith(
      model,
      texts.map(({ text }) => String(text)),
    );
    const expected = texts.flatMap(({ hidden_states: states }) => meanOf(states.at(-1) ?? []));
    expect(largestDifference(vectors, expected)).toBeLessThan(1e-5);
  });
});

interface SyntheticCase {
  readonly text: string;
  readonly gelu: 'erf' | 'tanh';
  readonly input_ids: number[];
  readonly layers: Record<string, Record<'mean' | 'max' | 'cls', number[]>>;
}

describe('a model of 30,522 words, 4 blocks, in both formats', () => {
  const formats = {
    tensor_bundle: { checkpoint: 'bert_model.ckpt' },
    safetensors: {},
  };
  const choices = (['tensor_bundle', 'safetensors'] as const).flatMap((format) =>
    (['erf', 'tanh'] as const).map((gelu) => ({ format, gelu })),
  );

  it.for(choices)(
    'from $format with gelu as $gelu has the pooled states of others to 2e-5',
    async ({ format, gelu }, { skip }) => {
      const source = await synthetic(skip, gelu);
      const cases = casesOf<SyntheticCase>(join(DATA, 'synthetic-bert-32'), gelu);
      expect(cases.length).toBeGreaterThan(10);
      for (const [layer, layers] of [
        ['-1', 4],
        ['-2', 3],
      ] as const) {
        const run = await openGraph(source, { ...formats[format], layers }, 4);
        for (const { input_ids: ids, layers: expected } of cases) {
          const states = await run(
            ids,
            ids.map(() => 0),
          );
          const rows = ids.map((_, token) => [...states.subarray(token * 32, (token + 1) * 32)]);
          const { mean, max, cls } = expected[layer] ?? { mean: [], max: [], cls: [] };
          expect(largestDifference(meanOf(rows), mean)).toBeLessThan(2e-5);
          expect(largestDifference(maxOf(rows), max)).toBeLessThan(2e-5);
          expect(largestDifference(rows[0] ?? [], cls)).toBeLessThan(2e-5);
        }
      }
    },
  );

  it.for(['tensor_bundle', 'safetensors'] as const)(
    'from %s has the vectors of others from text on, to 2e-5',
    async (format, { skip }) => {
      const source = await synthetic(skip, 'erf');
      const cases = casesOf<SyntheticCase>(join(DATA, 'synthetic-bert-32'), 'erf');
      const options = { ...formats[format], normalize: false };
      const { directory: model, ...converted } = await convertModel(source, join(directory, 'out'), options);
      expect(converted).toMatchObject({ format, dimensions: 32, maxSequenceLength: 512, lowercase: true });
      const vectors = await encodeWith(
        model,
        cases.map(({ text }) => text),
      );
      const expected = cases.flatMap(({ layers }) => layers['-1']?.mean ?? []);
      expect(largestDifference(vectors, expected)).toBeLessThan(2e-5);
    },
  );

  async function synthetic(skip: () => never, gelu: 'erf' | 'tanh'): Promise<string> {
    const data = need('synthetic-bert-32', skip);
    const vocabulary = need('vocabs/bert-base-uncased.vocab.txt', skip);
    const source = await copyOf(
      data,
      ['config.json', 'bert_config.json', 'model.safetensors', ...bundleOf(2)],
      gelu,
    );
    await copyFile(vocabulary, join(source, 'vocab.txt'));
    return source;
  }
});

function casesOf<Case extends { gelu: string }>(data: string, gelu: string): Case[] {
  const { cases } = JSON.parse(readFileSync(join(data, 'expected_outputs.json'), 'utf8')) as {
    cases: Case[];
  };
  return cases.filter((one) => one.gelu === gelu);
}

function bundleOf(shards: number): string[] {
  const parts = Array.from({ length: shards }, (_, shard) => `data-0000${shard}-of-0000${shards}`);
  return ['index', ...parts].map((end) => `bert_model.ckpt.${end}`);
}

/** Config files say both forms of gelu by one word; theirs is the word of Hugging Face. */
async function copyOf(data: string, files: readonly string[], gelu: 'erf' | 'tanh'): Promise<string> {
  const source = join(directory, 'source');
  await mkdir(source);
  for (const file of files) {
    if (!file.endsWith('config.json')) {
      await copyFile(join(data, file), join(source, file));
      continue;
    }
    const config = JSON.parse(readFileSync(join(data, file), 'utf8')) as object;
    const hidden_act = gelu === 'erf' ? 'gelu' : 'gelu_new';
    await writeFile(join(source, file), JSON.stringify({ ...config, hidden_act }));
  }
  return source;
}

let outputs = 0;

/** The hidden states of one sequence, [tokens, hidden], out of a converted model. */
async function openGraph(
  source: string,
  options: ConvertOptions,
  heads: number,
): Promise<(ids: readonly number[], types: readonly number[]) => Promise<Float32Array>> {
  const { directory: model } = await convertModel(source, join(directory, `graph${outputs++}`), options);
  const session = await InferenceSession.create(join(model, 'model.onnx'), { intraOpNumThreads: 1 });
  onTestFinished(() => session.release());
  return async (ids, types) => {
    const row = {
      ids: Int32Array.from(ids),
      types: Int32Array.from(types),
      lengths: Int32Array.of(ids.length),
    };
    const { slots, positions, pad, unpad, bias } = packBatch(row, heads);
    const { hidden } = await session.run({
      ids: new Tensor('int32', row.ids, [ids.length]),
      types: new Tensor('int32', row.types, [ids.length]),
      positions: new Tensor('int32', positions, [ids.length]),
      pad: new Tensor('int32', pad, [1, 1, slots]),
      unpad: new Tensor('int32', unpad, [ids.length]),
      bias: new Tensor('float32', bias, [1, 1, 1, slots]),
    });
    return hidden?.data as Float32Array;
  };
}

async function encodeWith(model: string, texts: readonly string[]): Promise<Float32Array> {
  const engine = await Engine.open({ model, devices: 'cpu:1' });
  try {
    const { values, failures } = await engine.encode(texts);
    expect(failures).toEqual([]);
    return values;
  } finally {
    await engine.close();
  }
}

/** Enough of the format for a model of float32. */
function meanOf(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).map(
    (_, i) => rows.reduce((sum, row) => sum + (row[i] ?? Number.NaN), 0) / rows.length,
  );
}

function maxOf(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i] ?? Number.NaN)));
}

function largestDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(got.length).toBe(expected.length);
  return Array.from(expected).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? Number.NaN))),
    0,
  );
}
