import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertModel } from '@embedfarm/checkpoint/convert';
import type { ModelType } from '@embedfarm/checkpoint/family/encoder-family';
import { POOLINGS, type Pooling } from '@embedfarm/checkpoint/pooling';
import type { FloatBlock } from '@embedfarm/contract';
import { FAMILY_POSITIONS, writeFamilySource, type FamilySource } from '@embedfarm/testkit/family-source';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { referenceHidden, referencePool, referencePooler } from '@embedfarm/testkit/reference-encoder';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Engine } from './engine.ts';
import { readModelSpec } from './model/model-spec.ts';
import { Tokenizer } from './tokenize/tokenizer.ts';

checkOpenHandles();

const FAMILIES = ['bert', 'roberta', 'xlm-roberta', 'distilbert', 'mpnet'] as const;
const TEXTS = [
  'time',
  'the river of time',
  '',
  'A question of wings, Zürich',
  'we do it right',
  // Cut to the longest sequence, so that the last place is used.
  'the river '.repeat(FAMILY_POSITIONS),
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-families-'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Choice {
  readonly pooling: Pooling;
  readonly poolingLayers: number[];
}

let models = 0;
const newDirectory = (): string => join(directory, String(models++));

async function open(source: FamilySource, choice: Choice): Promise<{ engine: Engine; ids: number[][] }> {
  const options = { ...choice, normalize: false };
  const { directory: model } = await convertModel(source.directory, newDirectory(), options);
  const engine = await Engine.open({ model, devices: 'cpu:1', pooling: choice.pooling });
  onTestFinished(() => engine.close());
  return { engine, ids: await idsOf(model, TEXTS) };
}

async function idsOf(model: string, texts: readonly string[]): Promise<number[][]> {
  const tokenizer = await Tokenizer.open(await readModelSpec(model));
  const ids: number[][] = [];
  for await (const part of tokenizer.tokenize(texts, 'end')) {
    for (const text of part) ids.push(text instanceof Error ? [] : [...text.ids]);
  }
  return ids;
}

function expectedRows(
  { config, weights }: FamilySource,
  ids: readonly number[],
  choice: Choice,
): Float64Array {
  if (choice.pooling === 'cls_pooled')
    return referencePooler(config, weights, referenceHidden(config, weights, ids));
  const hidden = referenceHidden(config, weights, ids, { poolingLayers: choice.poolingLayers });
  return referencePool(hidden, ids.length, hidden.length / ids.length, choice.pooling, false);
}

/** All rows of a text. */
function rowsOf({ values, firstRows, dimensions }: FloatBlock, text: number): Float32Array {
  return values.slice((firstRows[text] ?? 0) * dimensions, (firstRows[text + 1] ?? 0) * dimensions);
}

function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.NaN;
  return Array.from(expected).reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (got[at] ?? Number.NaN))),
    0,
  );
}

const CHOICES = FAMILIES.flatMap((modelType) =>
  POOLINGS.filter((pooling) => modelType !== 'distilbert' || pooling !== 'cls_pooled').flatMap((pooling) => [
    { modelType, pooling, hiddenAct: 'gelu', poolingLayers: [-1] },
    { modelType, pooling, hiddenAct: 'gelu_new', poolingLayers: [-2, 0] },
  ]),
);

describe('The vectors of safetensors', () => {
  it.each([
    ...CHOICES,
    { modelType: 'camembert', pooling: 'mean', hiddenAct: 'gelu', poolingLayers: [-1] } as const,
    { modelType: 'bert', pooling: 'mean', hiddenAct: 'relu', poolingLayers: [-1] } as const,
  ])(
    'are those of the float64 encoder: $modelType with $hiddenAct, $pooling, layers $poolingLayers',
    async ({ modelType, hiddenAct, pooling, poolingLayers }) => {
      const choice = { pooling, poolingLayers: [...poolingLayers] };
      const source = await writeFamilySource(newDirectory(), modelType, hiddenAct);
      const { engine, ids } = await open(source, choice);
      const block = await engine.encode(TEXTS);
      expect(block.failures).toEqual([]);
      expect(Math.max(...block.tokens)).toBe(FAMILY_POSITIONS);
      for (const [text, row] of ids.entries()) {
        expect(difference(rowsOf(block, text), expectedRows(source, row, choice)), TEXTS[text]).toBeLessThan(
          2e-5,
        );
      }
    },
  );

  it.each([
    ['bert', /^\[CLS\] [^<[]+ \[SEP\] [^<[]+ \[SEP\]$/],
    ['distilbert', /^\[CLS\] [^<[]+ \[SEP\] [^<[]+ \[SEP\]$/],
    ['roberta', /^<s> [^<[]+ <\/s> <\/s> [^<[]+ <\/s>$/],
    ['xlm-roberta', /^<s> [^<[]+ <\/s> <\/s> [^<[]+ <\/s>$/],
    ['mpnet', /^<s> [^<[]+ <\/s> <\/s> [^<[]+ <\/s>$/],
  ] as const)('of a pair have the layout and the token types of %s', async (modelType, layout) => {
    const source = await writeFamilySource(newDirectory(), modelType);
    const { config, weights, tokens } = source;
    const { engine } = await open(source, { pooling: 'mean', poolingLayers: [-1] });
    const block = await engine.encode([['the river', 'the']], { returnTokens: true });
    const list = block.tokenLists?.[0] ?? [];
    expect(list.join(' ')).toMatch(layout);
    const ids = list.map((token) => tokens.indexOf(token));
    const end = list.indexOf('[SEP]');
    const types = ids.map((_, place) => (modelType === 'bert' && place > end ? 1 : 0));
    const hidden = referenceHidden(config, weights, ids, { types });
    const expected = referencePool(hidden, ids.length, config.hiddenSize, 'mean', false);
    expect(difference(rowsOf(block, 0), expected)).toBeLessThan(2e-5);
  });

  it.each(
    (['roberta', 'mpnet'] as const).flatMap((modelType) =>
      (['mean', 'cls', 'cls_pooled', 'none'] as const).map((pooling) => ({ modelType, pooling })),
    ),
  )('have the same bits in every batch: $modelType, $pooling', async ({ modelType, pooling }) => {
    const source = await writeFamilySource(newDirectory(), modelType);
    const { engine } = await open(source, { pooling, poolingLayers: [-1] });
    const texts = Array.from({ length: 40 }, (_, at) =>
      'river in time '.repeat((at * 7) % 23).slice(0, 5 * at),
    );
    const together = await engine.encode(texts);
    const some = [39, 3, 17, 0, 28, 5];
    const backwards = await engine.encode(some.map((text) => texts[text] ?? ''));
    for (const [place, text] of some.entries()) {
      expect(rowsOf(backwards, place), texts[text]).toEqual(rowsOf(together, text));
    }
    for (const [text, alone] of texts.entries()) {
      expect((await engine.encode([alone])).values, alone).toEqual(rowsOf(together, text));
    }
  });

  it.each(FAMILIES)('come from %s as it is, too', async (modelType) => {
    const source = await writeFamilySource(newDirectory(), modelType);
    const cacheDir = newDirectory();
    const engine = await Engine.open({ model: source.directory, cacheDir, devices: 'cpu:1' });
    onTestFinished(() => engine.close());
    const converted = await open(source, { pooling: 'mean', poolingLayers: [-1] });
    const expected = await converted.engine.encode(TEXTS, { normalize: true });
    expect((await engine.encode(TEXTS)).values).toEqual(expected.values);
  });
});

describe('A tokenizer', () => {
  it.each<[ModelType, string[]]>([
    ['bert', ['[CLS]', 'the', 'river', '[SEP]']],
    ['distilbert', ['[CLS]', 'the', 'river', '[SEP]']],
    ['mpnet', ['<s>', 'the', 'river', '</s>']],
    ['roberta', ['<s>', 'T', 'h', 'e', 'Ġriver', '</s>']],
    ['xlm-roberta', ['<s>', '▁T', 'h', 'e', '▁river', '</s>']],
  ])('of %s comes along with the weights', async (modelType, expected) => {
    const { directory: source, tokens } = await writeFamilySource(newDirectory(), modelType);
    const { directory: model, maxSequenceLength } = await convertModel(source, newDirectory());
    expect((await idsOf(model, ['The river']))[0]?.map((id) => tokens[id])).toEqual(expected);
    expect(maxSequenceLength).toBe(FAMILY_POSITIONS);
    expect((await readModelSpec(model)).maxSequenceLength).toBe(FAMILY_POSITIONS);
    const config = JSON.parse(await readFile(join(model, 'config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ model_type: modelType });
    const original = JSON.parse(await readFile(join(source, 'config.json'), 'utf8')) as object;
    expect(config).toMatchObject(original);
  });
});
