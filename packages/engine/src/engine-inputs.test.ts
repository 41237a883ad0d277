import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POOLINGS, type Pooling } from '@embedfarm/checkpoint/pooling';
import type { EncodeText, FloatBlock } from '@embedfarm/contract';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { referenceHidden, referencePool, referencePooler } from '@embedfarm/testkit/reference-encoder';
import { tinyModel, writePlainOnnxModel, writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EngineOptions } from './engine-options.ts';
import { Engine } from './engine.ts';
import { readModelSpec } from './model/model-spec.ts';
import { tokenizerText } from './tokenize/tokenizer-text.ts';
import { Tokenizer, type Sequence } from './tokenize/tokenizer.ts';

checkOpenHandles();

const PAIRS: readonly EncodeText[] = [
  ['the river of time', 'a question of wings'],
  'the river of time',
  ['time', ''],
  ['', 'a question of wings, Zürich'],
  ['', ''],
  ['the river '.repeat(20), 'a question of time'],
  'a',
];
const TOKENS: readonly EncodeText[] = [
  ['the', 'river', 'Zürich'],
  [
    ['the', 'river'],
    ['of', 'time'],
  ],
  [],
  ['the'],
];

let directory: string;
let plain: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-inputs-'));
  plain = await writePlainOnnxModel(join(directory, 'plain'));
});
afterAll(() => rm(directory, { recursive: true }));

async function open(options: EngineOptions): Promise<Engine> {
  const engine = await Engine.open({ devices: 'cpu:1', ...options });
  onTestFinished(() => engine.close());
  return engine;
}

async function sequencesOf(model: string, texts: readonly EncodeText[], tokens = false): Promise<Sequence[]> {
  const tokenizer = await Tokenizer.open(await readModelSpec(model));
  const all: Sequence[] = [];
  const prepared = texts.map((text) => tokenizerText(text, { tokens }));
  for await (const part of tokenizer.tokenize(prepared, 'end')) {
    for (const text of part) {
      if (text instanceof Error) throw text;
      all.push(text);
    }
  }
  return all;
}

const { config, weights } = tinyModel();

interface Choice {
  readonly pooling: Pooling;
  readonly maskClsSep: boolean;
}

/** As the papers and bert-as-service have it: types 0 and 1, and all special tokens masked, or none. */
function expectedRows(sequence: Sequence, { pooling, maskClsSep }: Choice, hasTypes = true): Float64Array {
  const ids = [...sequence.ids];
  const { secondAt = ids.length } = sequence;
  const special = [0, secondAt - 1, ids.length - 1];
  const mask = ids.map((_, place) => (maskClsSep && special.includes(place) ? 0 : 1));
  const types = ids.map((_, place) => (hasTypes && place >= secondAt ? 1 : 0));
  const hidden = referenceHidden(config, weights, ids, { types, mask });
  if (pooling === 'cls_pooled') return referencePooler(config, weights, hidden);
  return referencePool(hidden, ids.length, config.hiddenSize, pooling, false, mask);
}

function rowsOf({ values, firstRows, dimensions }: FloatBlock, text: number): Float32Array {
  return values.slice((firstRows[text] ?? 0) * dimensions, (firstRows[text + 1] ?? 0) * dimensions);
}

function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.NaN;
  return Array.from(expected).reduce(
    (most, value, at) => Math.max(most, Math.abs(Math.fround(value) - (got[at] ?? Number.NaN))),
    0,
  );
}

const CHOICES = POOLINGS.flatMap((pooling) => [false, true].map((maskClsSep) => ({ pooling, maskClsSep })));

describe('The vectors of pairs', () => {
  it.each(CHOICES)(
    'are those of the float64 encoder with token types: $pooling, CLS and SEP masked: $maskClsSep',
    async (choice) => {
      const name = `${choice.pooling}-${choice.maskClsSep}`;
      const model = await writeTinyModel(join(directory, name), { pooling: choice.pooling });
      const engine = await open({ model, normalize: false, ...choice });
      const block = await engine.encode(PAIRS);
      expect(block.failures).toEqual([]);
      for (const [text, sequence] of (await sequencesOf(model, PAIRS)).entries()) {
        const expected = expectedRows(sequence, choice);
        expect(difference(rowsOf(block, text), expected), String(PAIRS[text])).toBeLessThan(1e-5);
      }
    },
  );

  it.each(CHOICES.filter(({ pooling }) => pooling !== 'cls_pooled'))(
    'are so by a plain export: $pooling, CLS and SEP masked: $maskClsSep',
    async (choice) => {
      const engine = await open({ model: plain, normalize: false, ...choice });
      const block = await engine.encode(PAIRS);
      for (const [text, sequence] of (await sequencesOf(plain, PAIRS)).entries()) {
        const expected = expectedRows(sequence, choice);
        expect(difference(rowsOf(block, text), expected), String(PAIRS[text])).toBeLessThan(1e-5);
      }
    },
  );

  it('have no types where the graph takes none, or the model has one', async () => {
    const choice = { pooling: 'mean', maskClsSep: false } as const;
    const noInput = await writePlainOnnxModel(join(directory, 'no-input'), { tokenTypes: false });
    const engine = await open({ model: noInput, normalize: false });
    const block = await engine.encode(PAIRS);
    for (const [text, sequence] of (await sequencesOf(noInput, PAIRS)).entries()) {
      expect(difference(rowsOf(block, text), expectedRows(sequence, choice, false))).toBeLessThan(1e-5);
    }
    for (const write of [writeTinyModel, writePlainOnnxModel]) {
      const oneType = await write(join(directory, write.name), { config: { segmentTypes: 1 } });
      const { failures } = await (await open({ model: oneType })).encode(PAIRS);
      expect(failures).toEqual([]);
    }
  });

  it.each(['mean', 'cls', 'none'] as const)('have the same bits in every batch, by %s', async (pooling) => {
    const model = await writeTinyModel(join(directory, `bits-${pooling}`), { pooling });
    const engine = await open({ model, devices: 'cpu:2' });
    const together = await engine.encode(PAIRS);
    for (const [text, alone] of PAIRS.entries()) {
      expect((await engine.encode([alone])).values, String(alone)).toEqual(rowsOf(together, text));
    }
  });

  it('tell their lengths, and whether they were cut', async () => {
    const engine = await open({ model: plain, maxSequenceLength: 16 });
    const { tokens, truncated } = await engine.encode([PAIRS[0] ?? '', PAIRS[5] ?? '']);
    expect([...tokens]).toEqual([12, 16]);
    expect([...truncated]).toEqual([0, 1]);
  });
});

describe('Prompts', () => {
  const TEXTS: readonly EncodeText[] = ['the river', ['time', 'a question'], ''];
  const PROMPTS = { prompts: { query: 'a query: ', passage: 'the ' }, default_prompt_name: 'query' };

  /** A model directory with these prompts, packed or as an export. */
  async function writePrompted(
    name: string,
    write: typeof writeTinyModel | typeof writePlainOnnxModel,
    options: { pooling?: Pooling; includePrompt?: boolean } = {},
  ): Promise<string> {
    const model = await write(join(directory, `${name}-${write.name}`), options);
    await writeFile(join(model, 'config_sentence_transformers.json'), JSON.stringify(PROMPTS));
    if (options.includePrompt === false) {
      const file = join(model, '1_Pooling/config.json');
      const config: object = JSON.parse(await readFile(file, 'utf8'));
      await writeFile(file, JSON.stringify({ ...config, include_prompt: false }));
    }
    return model;
  }

  it.each([writeTinyModel, writePlainOnnxModel])(
    'go before every text, of a pair before its first part',
    async (write) => {
      const engine = await open({ model: await writePrompted('prompted', write) });
      const promptNames = ['query', 'passage'];
      expect(engine.registration).toMatchObject({ promptNames, defaultPromptName: 'query' });
      const of = async (prompt: string): Promise<Float32Array> => {
        const written: EncodeText[] = [`${prompt}the river`, [`${prompt}time`, 'a question'], prompt];
        return (await engine.encode(written, { prompt: '' })).values;
      };
      expect((await engine.encode(TEXTS)).values).toEqual(await of('a query: '));
      expect((await engine.encode(TEXTS, { promptName: 'passage' })).values).toEqual(await of('the '));
      expect((await engine.encode(TEXTS, { prompt: 'do ' })).values).toEqual(await of('do '));
      expect((await engine.encode(TEXTS, { prompt: '' })).values).toEqual(await of(''));
      await expect(engine.encode(TEXTS, { promptName: 'q' })).rejects.toThrow(
        'promptName is "q", the prompts of the model are: query, passage',
      );
      await expect(engine.encode([['the']], { tokens: true })).rejects.toThrow('ask for an empty one');
      expect((await engine.encode([['the']], { tokens: true, prompt: '' })).failures).toEqual([]);
    },
  );

  it.each(['mean', 'max', 'last_token'] as const)(
    'are attended to and left out of pooling where the model says so: %s',
    async (pooling) => {
      for (const write of [writeTinyModel, writePlainOnnxModel]) {
        const model = await writePrompted(`apart-${pooling}`, write, { pooling, includePrompt: false });
        const engine = await open({ model, normalize: false });
        const block = await engine.encode(['the river', 'time'], { prompt: 'a question ' });
        const sequences = await sequencesOf(model, ['a question the river', 'a question time']);
        for (const [text, { ids }] of sequences.entries()) {
          const hidden = referenceHidden(config, weights, [...ids]);
          // [CLS] a question
          const mask = Array.from(ids, (_, place) => (place < 3 && pooling !== 'last_token' ? 0 : 1));
          const expected = referencePool(hidden, ids.length, config.hiddenSize, pooling, false, mask);
          expect(difference(rowsOf(block, text), expected)).toBeLessThan(1e-5);
        }
      }
    },
  );

  it.each([true, false])('that leave no room for a text are refused; pooled: %s', async (includePrompt) => {
    const model = await writePrompted(`long-${includePrompt}`, writeTinyModel, { includePrompt });
    const engine = await open({ model, maxSequenceLength: 16 });
    const fault = /prompt is too long: with special tokens it fills the 16 tokens that the model takes/;
    for (const words of [14, 15, 400])
      await expect(engine.encode(TEXTS, { prompt: 'the '.repeat(words) })).rejects.toMatchObject({
        code: 'invalid_argument',
        detail: expect.stringMatching(fault) as string,
      });
    const { failures, tokens } = await engine.encode(['river'], { prompt: 'the '.repeat(13) });
    expect([failures, [...tokens]]).toEqual([[], [16]]);
  });

  it('that are pooled go first where a text is cut at the start', async () => {
    const engine = await open({ model: await writePrompted('cut', writeTinyModel), maxSequenceLength: 6 });
    const options = { prompt: 'the '.repeat(9), truncate: 'start', returnTokens: true } as const;
    const { tokenLists } = await engine.encode(['river of time'], options);
    expect(tokenLists).toEqual([['[CLS]', 'the', 'river', 'of', 'time', '[SEP]']]);
  });

  it('that are not pooled begin a text with its own first token, or are refused by a graph of first tokens', async () => {
    const plainModel = await writePrompted('cls', writePlainOnnxModel, {
      pooling: 'cls',
      includePrompt: false,
    });
    const engine = await open({ model: plainModel, normalize: false });
    const block = await engine.encode(['river'], { prompt: 'a question ' });
    const [sequence] = await sequencesOf(plainModel, ['a question river']);
    const hidden = referenceHidden(config, weights, [...(sequence?.ids ?? [])]);
    const river = hidden.subarray(3 * config.hiddenSize, 4 * config.hiddenSize);
    expect(difference(rowsOf(block, 0), river)).toBeLessThan(1e-5);
    const packed = await writePrompted('cls', writeTinyModel, { pooling: 'cls', includePrompt: false });
    const first = await open({ model: packed });
    await expect(first.encode(['river'])).rejects.toThrow('its graph gives first tokens alone');
    expect((await first.encode(['river'], { prompt: '' })).failures).toEqual([]);
  });
});

describe('The tokens of texts', () => {
  const texts: readonly EncodeText[] = ['The rivers', ['time', 'a'], '', 'the '.repeat(30), '\ud800'];

  it('come back as the device saw them', async () => {
    const engine = await open({ model: plain, maxSequenceLength: 6 });
    const { tokenLists, tokens } = await engine.encode(texts, { returnTokens: true });
    expect(tokenLists).toEqual([
      ['[CLS]', 'the', 'river', '##s', '[SEP]'],
      ['[CLS]', 'time', '[SEP]', 'a', '[SEP]'],
      ['[CLS]', '[SEP]'],
      ['[CLS]', 'the', 'the', 'the', 'the', '[SEP]'],
      [],
    ]);
    expect(tokenLists?.map((list) => list.length)).toEqual([...tokens]);
    expect((await engine.encode(texts)).tokenLists).toBeUndefined();
  });

  it('that are lists show what is unknown, and special ones also where they are masked', async () => {
    const engine = await open({ model: plain, maskClsSep: true });
    const { tokenLists } = await engine.encode([['The', 'river']], { tokens: true, returnTokens: true });
    expect(tokenLists).toEqual([['[CLS]', '[UNK]', 'river', '[SEP]']]);
  });
});

describe('The vectors of lists of tokens', () => {
  it('are those of their ids, also in pairs', async () => {
    const engine = await open({ model: plain, normalize: false });
    const block = await engine.encode(TOKENS, { tokens: true });
    const choice = { pooling: 'mean', maskClsSep: false } as const;
    for (const [text, sequence] of (await sequencesOf(plain, TOKENS, true)).entries()) {
      expect(difference(rowsOf(block, text), expectedRows(sequence, choice))).toBeLessThan(1e-5);
    }
  });

  it('fail alone where they are no lists of tokens', async () => {
    const engine = await open({ model: plain });
    const texts = [['the'], 'river', ['time', 7]] as unknown as EncodeText[];
    const block = await engine.encode(texts, { tokens: true });
    expect([...block.firstRows]).toEqual([0, 1, 1, 1]);
    expect(block.failures).toMatchObject([
      { code: 'invalid_argument', texts: [1] },
      { code: 'invalid_argument', texts: [2], message: 'the text[1] must be a string, got number' },
    ]);
  });
});
