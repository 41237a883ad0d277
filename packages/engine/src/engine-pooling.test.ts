import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POOLINGS, type Pooling } from '@embedfarm/checkpoint/pooling';
import type { FloatBlock } from '@embedfarm/contract';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { referenceHidden, referencePool, referencePooler } from '@embedfarm/testkit/reference-encoder';
import {
  tinyModel,
  writePlainOnnxModel,
  writeTinyModel,
  type TinyModelOptions,
} from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EngineOptions } from './engine-options.ts';
import { Engine } from './engine.ts';
import { readModelSpec } from './model/model-spec.ts';
import { Tokenizer } from './tokenize/tokenizer.ts';

checkOpenHandles();

const SHAPE = { config: { layers: 4 } } as const;
const LAYERS = [[-1], [-2], [-1, -2, -3, -4]];
const TEXTS = [
  'time',
  'the river of time',
  '',
  'a question of wings, Zürich',
  'the river '.repeat(15),
  'a',
  'we do it right',
];

let directory: string;
let plain: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-pooling-'));
  plain = await writePlainOnnxModel(join(directory, 'plain'), SHAPE);
});
afterAll(() => rm(directory, { recursive: true }));

let models = 0;
const writeModel = (options: TinyModelOptions): Promise<string> =>
  writeTinyModel(join(directory, `tiny${models++}`), { ...SHAPE, ...options });

async function open(options: EngineOptions): Promise<Engine> {
  const engine = await Engine.open({ devices: 'cpu:1', ...options });
  onTestFinished(() => engine.close());
  return engine;
}

/** All rows of a text. */
function rowsOf({ values, firstRows, dimensions }: FloatBlock, text: number): Float32Array {
  return values.slice((firstRows[text] ?? 0) * dimensions, (firstRows[text + 1] ?? 0) * dimensions);
}

function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.NaN;
  return Array.from(expected).reduce(
    // Rounded, as a text of nothing but masked tokens has -1e30.
    (most, value, at) => Math.max(most, Math.abs(Math.fround(value) - (got[at] ?? Number.NaN))),
    0,
  );
}

interface Choice {
  readonly pooling: Pooling;
  readonly poolingLayers: number[];
  readonly maskClsSep: boolean;
}

async function idsOf(model: string): Promise<number[][]> {
  const tokenizer = await Tokenizer.open(await readModelSpec(model));
  const ids: number[][] = [];
  for await (const part of tokenizer.tokenize(TEXTS, 'end')) {
    for (const text of part) ids.push(text instanceof Error ? [] : [...text.ids]);
  }
  return ids;
}

const { config, weights } = tinyModel(SHAPE);
/** They cost more than all else here, so each is computed once. */
const hiddenStates = new Map<string, Float64Array>();

function hiddenOf(ids: readonly number[], mask: number[], poolingLayers: number[]): Float64Array {
  const key = JSON.stringify([ids, mask, poolingLayers]);
  const hidden = hiddenStates.get(key) ?? referenceHidden(config, weights, ids, { poolingLayers, mask });
  hiddenStates.set(key, hidden);
  return hidden;
}

function expectedRows(ids: readonly number[], choice: Choice, normalize: boolean): Float64Array {
  const { pooling, poolingLayers, maskClsSep } = choice;
  const mask = ids.map((_, place) => (maskClsSep && (place === 0 || place === ids.length - 1) ? 0 : 1));
  if (pooling === 'cls_pooled') return referencePooler(config, weights, hiddenOf(ids, mask, [-1]));
  const hidden = hiddenOf(ids, mask, poolingLayers);
  const size = hidden.length / ids.length;
  return referencePool(hidden, ids.length, size, pooling, normalize, mask);
}

const CHOICES = POOLINGS.flatMap((pooling) =>
  LAYERS.flatMap((poolingLayers) =>
    [false, true].map((maskClsSep) => ({ pooling, poolingLayers, maskClsSep })),
  ),
);

describe('The vectors of a packed model', () => {
  it.each(CHOICES)(
    'are those of the float64 encoder: $pooling, layers $poolingLayers, CLS and SEP masked: $maskClsSep',
    async (choice) => {
      const { pooling, poolingLayers } = choice;
      const model = await writeModel({ pooling, poolingLayers, normalize: false });
      const engine = await open({ model, ...choice });
      const block = await engine.encode(TEXTS);
      const scaled = await engine.encode(TEXTS, { normalize: true });
      expect(block.dimensions).toBe(engine.registration.dimensions);
      for (const [text, ids] of (await idsOf(model)).entries()) {
        const expected = expectedRows(ids, choice, false);
        const rows = pooling === 'none' ? ids.length : 1;
        expect(expected.length).toBe(rows * block.dimensions);
        expect(difference(rowsOf(block, text), expected), TEXTS[text]).toBeLessThan(1e-5);
        if (pooling === 'cls_pooled') continue;
        const unit = expectedRows(ids, choice, true);
        expect(difference(rowsOf(scaled, text), unit), TEXTS[text]).toBeLessThan(1e-5);
      }
    },
  );

  it.each(
    CHOICES.filter(({ poolingLayers }) => poolingLayers.join() !== '-1').filter(
      ({ maskClsSep, poolingLayers }) => maskClsSep === (poolingLayers.length === 1),
    ),
  )(
    'have the same bits in every batch: $pooling, layers $poolingLayers, CLS and SEP masked: $maskClsSep',
    async (choice) => {
      const { pooling, poolingLayers } = choice;
      const model = await writeModel({ pooling, poolingLayers });
      const engine = await open({ model, ...choice });
      const together = await engine.encode(TEXTS);
      const some = [5, 4, 2, 0];
      const backwards = await engine.encode(some.map((text) => TEXTS[text] ?? ''));
      for (const [place, text] of some.entries()) {
        expect(rowsOf(backwards, place), TEXTS[text]).toEqual(rowsOf(together, text));
      }
      for (const [text, alone] of TEXTS.entries()) {
        expect((await engine.encode([alone])).values, alone).toEqual(rowsOf(together, text));
      }
    },
  );

  it('are told by the registration: pooling, and dimensions for layers and mean_max', async () => {
    const model = await writeModel({ poolingLayers: [-1, 0] });
    const mean = await open({ model });
    expect(mean.registration).toMatchObject({ pooling: 'mean', dimensions: 64 });
    const both = await open({ model, pooling: 'mean_max' });
    expect(both.registration).toMatchObject({ pooling: 'mean_max', dimensions: 128 });
  });

  it('of pooling none are one a token; dimensions and normalize hold for each', async () => {
    const engine = await open({ model: await writeModel({}), pooling: 'none' });
    const whole = await engine.encode(TEXTS, { normalize: false });
    const cut = await engine.encode(TEXTS, { dimensions: 8, normalize: true });
    expect([...cut.firstRows]).toEqual([...whole.firstRows]);
    expect(cut.values.length).toBe((cut.firstRows[TEXTS.length] ?? 0) * 8);
    for (let row = 0; row < cut.values.length / 8; row += 1) {
      const kept = whole.values.subarray(row * 32, row * 32 + 8);
      const length = Math.hypot(...kept);
      expect(
        difference(
          cut.values.subarray(row * 8, row * 8 + 8),
          kept.map((value) => value / length),
        ),
      ).toBeLessThan(1e-6);
    }
  });

  it('of pooling none leave out the rows of a text that failed', async () => {
    const engine = await open({ model: await writeModel({}), pooling: 'none', maxSequenceLength: 12 });
    const block = await engine.encode(TEXTS, { truncate: 'error' });
    expect(block.failures).toMatchObject([{ code: 'sequence_too_long', texts: [4] }]);
    const counts = TEXTS.map((_, text) => (block.firstRows[text + 1] ?? 0) - (block.firstRows[text] ?? 0));
    expect(counts).toEqual([...block.tokens]);
    expect(counts[4]).toBe(0);
  });
});

describe('The vectors of somebody else’s export', () => {
  it.each(
    CHOICES.filter(({ pooling, poolingLayers }) => pooling !== 'cls_pooled' && poolingLayers.join() === '-1'),
  )('are those of the float64 encoder: $pooling, CLS and SEP masked: $maskClsSep', async (choice) => {
    const engine = await open({ model: plain, ...choice, normalize: false });
    const block = await engine.encode(TEXTS);
    for (const [text, ids] of (await idsOf(plain)).entries()) {
      expect(difference(rowsOf(block, text), expectedRows(ids, choice, false)), TEXTS[text]).toBeLessThan(
        1e-5,
      );
    }
  });

  it.each<[EngineOptions, string]>([
    [{ pooling: 'cls_pooled' }, 'pooling cls_pooled needs the pooler, the graph of'],
    [{ poolingLayers: [-2] }, 'poolingLayers -2 needs the states of block 3 of 4, the graph of'],
  ])('cannot be had by %j', async (options, message) => {
    await expect(Engine.open({ model: plain, ...options })).rejects.toThrow(message);
  });
});

describe('The embedded model', () => {
  it.each(POOLINGS)('is made with the layers asked for, pooled by %s', async (pooling) => {
    const engine = await open({ cacheDir: directory, pooling, poolingLayers: [-2, -1] });
    const factor = pooling === 'cls_pooled' ? 1 : pooling === 'mean_max' ? 4 : 2;
    expect(engine.registration).toMatchObject({ pooling, dimensions: 128 * factor });
    expect((await engine.encode(['time'])).failures).toEqual([]);
  });
});
