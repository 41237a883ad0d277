import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BertConfig } from './bert-config.ts';
import { writePackedModel, type PackedModel } from './packed-model.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { BERT_SHAPES, writeRandomModel } from './random-model.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'embedfarm-packed-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'one', 'two', '##s'];

function model(overrides: Partial<PackedModel> = {}): PackedModel {
  const config: BertConfig = { ...BERT_SHAPES.tiny, vocabularySize: VOCABULARY.length };
  const weights = randomBertWeights(config, 1);
  const rest = { lowercase: true, pooling: 'mean', normalize: true, meaningful: true } as const;
  return { config, weights, vocabulary: VOCABULARY, ...rest, ...overrides };
}

describe('writePackedModel', () => {
  it('writes the layout of Hugging Face and sentence-transformers, and one file of its own', async () => {
    const directory = await writePackedModel(join(parent, 'a'), model());
    expect((await readdir(directory)).toSorted()).toEqual([
      '1_Pooling',
      'config.json',
      'embedfarm.json',
      'model.onnx',
      'model.onnx.data',
      'modules.json',
      'sentence_bert_config.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
    expect(await json(directory, 'config.json')).toMatchObject({ model_type: 'bert', hidden_size: 128 });
    expect(await json(directory, 'embedfarm.json')).toEqual({
      format: 1,
      graph: 'packed',
      layers: 2,
      output: 'tokens',
      pooling: 'mean',
      poolingLayers: [1],
      dtype: 'float32',
      maxPositions: 512,
      meaningful: true,
      sha256: {
        'model.onnx': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        'model.onnx.data': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    });
    expect(await json(directory, 'tokenizer_config.json')).toMatchObject({
      do_lower_case: true,
      model_max_length: 512,
    });
    expect(await json(directory, '1_Pooling/config.json')).toMatchObject({
      word_embedding_dimension: 128,
      pooling_mode_mean_tokens: true,
      pooling_mode_cls_token: false,
    });
    expect(await readFile(join(directory, 'vocab.txt'), 'utf8')).toBe(`${VOCABULARY.join('\n')}\n`);
  });

  it('writes down casing, pooling, length and the cut, and no Normalize where vectors keep their length', async () => {
    const options = { lowercase: false, pooling: 'cls', normalize: false } as const;
    const directory = await writePackedModel(
      join(parent, 'a'),
      model({ ...options, layers: 1, maxSequenceLength: 128 }),
    );
    expect(await json(directory, 'embedfarm.json')).toMatchObject({ layers: 1 });
    expect(await json(directory, 'config.json')).toMatchObject({ num_hidden_layers: 2 });
    expect(await json(directory, 'tokenizer_config.json')).toMatchObject({
      do_lower_case: false,
      model_max_length: 128,
    });
    expect(await json(directory, '1_Pooling/config.json')).toMatchObject({ pooling_mode_cls_token: true });
    expect(await readFile(join(directory, 'modules.json'), 'utf8')).not.toContain('Normalize');
  });

  it('writes down what the graph gives, and no Pooling module where sentence-transformers has none', async () => {
    const layers = { pooling: 'mean_max', poolingLayers: [-1, -2] } as const;
    const directory = await writePackedModel(join(parent, 'a'), model(layers));
    expect(await json(directory, 'embedfarm.json')).toMatchObject({
      layers: 2,
      output: 'tokens',
      pooling: 'mean_max',
      poolingLayers: [1, 0],
    });
    expect(await readdir(directory)).not.toContain('1_Pooling');
    const first = await writePackedModel(join(parent, 'b'), model({ pooling: 'cls', poolingLayers: [0] }));
    expect(await json(first, 'embedfarm.json')).toMatchObject({ layers: 1, output: 'first' });
  });

  it('copies a vocabulary file as it is', async () => {
    const vocabFile = join(parent, 'words.txt');
    await writeFile(vocabFile, VOCABULARY.join('\r\n'));
    const directory = await writePackedModel(join(parent, 'a'), model({ vocabulary: { vocabFile } }));
    expect(await readFile(join(directory, 'vocab.txt'), 'utf8')).toBe(VOCABULARY.join('\r\n'));
  });

  it('leaves a directory that is there as it is', async () => {
    await mkdir(join(parent, 'a'));
    await expect(writePackedModel(join(parent, 'a'), model())).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(await readdir(join(parent, 'a'))).toEqual([]);
  });

  it('keeps the first of two that are written at once', async () => {
    const target = join(parent, 'a');
    await Promise.all([writePackedModel(target, model()), writePackedModel(target, model())]);
    expect(await readdir(parent)).toEqual(['a']);
  });

  it.each<[string, Partial<PackedModel>]>([
    ['the vocabulary has 9 entries, the model has 8', { vocabulary: [...VOCABULARY, 'more'] }],
    ['the vocabulary has no [SEP]', { vocabulary: ['[UNK]', '[CLS]'] }],
    ['vocabulary[1] must be one line of text', { vocabulary: ['[UNK]', 'a\nb'] }],
    ['cannot read /no/such/file', { vocabulary: { vocabFile: '/no/such/file' } }],
    ['maxSequenceLength must be 2 to 512 tokens, got 513', { maxSequenceLength: 513 }],
    ['layers must be 1 to 2, got 3', { layers: 3 }],
    ['poolingLayers must be -2 to 1, as the model has 2 blocks, got -3', { poolingLayers: [-3] }],
    ['pooler.dense.weight is missing', { pooling: 'cls_pooled' }],
    ['embeddings.word_embeddings.weight is missing', { weights: new Map() }],
  ])('refuses what does not fit: %s', async (message, overrides) => {
    await expect(writePackedModel(join(parent, 'a'), model(overrides))).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(message) }),
    );
    expect(await readdir(parent)).toEqual([]);
  });

  it('leaves nothing behind when a tensor cannot be read', async () => {
    const weights = new Map(model().weights);
    const broken = { shape: [128], read: () => new Float32Array(127) };
    weights.set('encoder.layer.1.output.LayerNorm.bias', broken);
    await expect(writePackedModel(join(parent, 'a'), model({ weights }))).rejects.toThrow('gave 508 bytes');
    expect(await readdir(parent)).toEqual([]);
  });
});

describe('writeRandomModel', () => {
  it('writes a model of a known shape that says it has no meaning', async () => {
    const directory = await writeRandomModel(join(parent, 'a'), 'minilm', {
      vocabulary: VOCABULARY,
      vocabularySize: 100,
      seed: 1,
      layers: 1,
    });
    expect(await json(directory, 'embedfarm.json')).toMatchObject({ meaningful: false, layers: 1 });
    expect(await json(directory, 'config.json')).toMatchObject({
      hidden_size: 384,
      num_hidden_layers: 6,
      num_attention_heads: 12,
      intermediate_size: 1536,
      vocab_size: 100,
    });
  });
});

async function json(directory: string, path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(directory, path), 'utf8'));
}
