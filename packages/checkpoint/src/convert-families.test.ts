import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatBertConfig, parseBertConfig } from './bert-config.ts';
import { convertModel, type ConvertOptions } from './convert.ts';
import { familyOf } from './family/family-of.ts';
import { ownName } from './family/tensor-names.ts';
import {
  huggingFaceTensors,
  TINY,
  tokenizerJson,
  VOCABULARY,
  writeHuggingFaceModel,
} from './pretrained.fixture.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { safetensorsOf, type SafetensorsFixture } from './safetensors.fixture.ts';

let parent: string;
let source: string;
let out: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'embedfarm-families-'));
  source = join(parent, 'source');
  out = join(parent, 'out');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const SIZES = { ...formatBertConfig(TINY), model_type: undefined, type_vocab_size: 1, pad_token_id: 1 };
const CONFIGS = {
  roberta: { ...SIZES, model_type: 'roberta', max_position_embeddings: 18 },
  mpnet: { ...SIZES, model_type: 'mpnet', max_position_embeddings: 18 },
  distilbert: {
    model_type: 'distilbert',
    vocab_size: TINY.vocabularySize,
    dim: 8,
    n_layers: 2,
    n_heads: 2,
    hidden_dim: 12,
    max_position_embeddings: 16,
    pad_token_id: 0,
  },
} as const;
type Type = keyof typeof CONFIGS;

/** Tensors of random weights under the family's own names. */
function tensorsOf(type: Type): Record<string, SafetensorsFixture> {
  const config = parseBertConfig(JSON.parse(JSON.stringify(CONFIGS[type])));
  const { tensorNames, hasPooler } = familyOf(type);
  const tensors = huggingFaceTensors(randomBertWeights(config, 5, { pooler: hasPooler }));
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [ownName(tensorNames, name), tensor]),
  );
}

async function write(type: Type, files: Readonly<Record<string, unknown>>): Promise<string> {
  return writeHuggingFaceModel(source, tensorsOf(type), { ...files, 'config.json': CONFIGS[type] });
}

const BPE = {
  added_tokens: [{ id: 0, content: '<s>', special: true }],
  normalizer: null,
  model: { type: 'BPE', vocab: { '<s>': 0, '<pad>': 1, '</s>': 2, a: 3, b: 4, ab: 6 }, merges: ['a b'] },
};
const UNIGRAM = {
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['<s>', 0],
      ['▁a', -1.5],
    ],
  },
};
const MPNET_WORDS = ['<s>', '<pad>', '</s>', '[UNK]', 'one', 'two', '##s'];

describe('convertModel', () => {
  it('takes a tokenizer.json of any kind as it is, with the fields of its config', async () => {
    for (const [name, tokenizer] of Object.entries({ bpe: BPE, unigram: UNIGRAM })) {
      await write('roberta', {
        'tokenizer.json': tokenizer,
        'tokenizer_config.json': {
          tokenizer_class: 'RobertaTokenizer',
          cls_token: '<s>',
          model_max_length: 1e30,
        },
      });
      const directory = join(parent, name);
      expect(await convertModel(source, directory)).toMatchObject({
        lowercase: false,
        casingFrom: 'tokenizer.json',
        maxSequenceLength: 16,
      });
      expect(await readdir(directory)).not.toContain('vocab.txt');
      expect(await json(directory, 'tokenizer.json')).toEqual(tokenizer);
      expect(await json(directory, 'tokenizer_config.json')).toEqual({
        tokenizer_class: 'RobertaTokenizer',
        cls_token: '<s>',
        model_max_length: 16,
      });
      expect(await json(directory, 'config.json')).toMatchObject({
        model_type: 'roberta',
        max_position_embeddings: 18,
      });
      expect(await json(directory, 'embedfarm.json')).toMatchObject({ maxPositions: 16 });
    }
  });

  it('knows a tokenizer.json of before 2021, which does not say its kind', async () => {
    const { type: _, ...bpe } = BPE.model;
    const { type: __, ...unigram } = UNIGRAM.model;
    for (const [name, model] of Object.entries({ bpe, unigram })) {
      await write('roberta', { 'tokenizer.json': { ...BPE, model } });
      await convertModel(source, join(parent, name));
      expect(await readdir(join(parent, name))).not.toContain('vocab.txt');
    }
  });

  it('puts MPNet’s special tokens around the words of a vocab.txt', async () => {
    await write('mpnet', { 'vocab.txt': MPNET_WORDS.join('\n') });
    expect(await convertModel(source, out, { lowercase: true })).toMatchObject({ lowercase: true });
    expect(await json(out, 'tokenizer.json')).toMatchObject({
      normalizer: { type: 'BertNormalizer', lowercase: true },
      post_processor: { type: 'RobertaProcessing', cls: ['<s>', 0], sep: ['</s>', 2] },
      model: { type: 'WordPiece', unk_token: '[UNK]', vocab: { '<s>': 0, '##s': 6 } },
    });
    expect(await json(out, 'tokenizer_config.json')).toMatchObject({
      tokenizer_class: 'MPNetTokenizer',
      do_lower_case: true,
      cls_token: '<s>',
      model_max_length: 16,
    });
  });

  it('takes MPNet’s own tokenizer.json where there is one', async () => {
    const tokenizer = tokenizerJson(MPNET_WORDS, true);
    await write('mpnet', { 'tokenizer.json': tokenizer, 'vocab.txt': MPNET_WORDS.join('\n') });
    await convertModel(source, out);
    expect(await json(out, 'tokenizer.json')).toEqual(tokenizer);
    expect(await json(out, 'tokenizer_config.json')).toMatchObject({ tokenizer_class: 'MPNetTokenizer' });
  });

  it('has DistilBERT read a vocab.txt as BERT does', async () => {
    await write('distilbert', { 'vocab.txt': VOCABULARY.join('\n') });
    await convertModel(source, out);
    expect(await readdir(out)).not.toContain('tokenizer.json');
    expect(await json(out, 'config.json')).toMatchObject(CONFIGS.distilbert);
    expect(await json(out, 'embedfarm.json')).toMatchObject({ maxPositions: 16 });
  });

  it.each([
    ['distilbert', 'transformer.layer.1.ffn.lin2.bias'],
    ['distilbert', 'transformer.layer.0.sa_layer_norm.weight'],
    ['mpnet', 'encoder.layer.1.attention.attn.o.weight'],
    ['mpnet', 'encoder.relative_attention_bias.weight'],
    ['roberta', 'encoder.layer.0.attention.output.dense.weight'],
    ['roberta', 'embeddings.position_embeddings.weight'],
  ] as const)('names a tensor of %s that is missing, cut, or no number: %s', async (type, name) => {
    await write(type, type === 'roberta' ? { 'tokenizer.json': BPE } : { 'vocab.txt': wordsOf(type) });
    const { [name]: tensor, ...others } = tensorsOf(type);
    if (!tensor) throw new Error(`no ${name}`);
    const refuse = async (changed: Record<string, SafetensorsFixture>): Promise<string> => {
      await writeFile(join(source, 'model.safetensors'), safetensorsOf({ ...others, ...changed }));
      return refusal();
    };
    const bytes = tensor.bytes.subarray(4);
    expect(await refuse({})).toContain(`${name} is missing, expected [${tensor.shape.join(', ')}]`);
    const cut = { shape: [tensor.bytes.length / 4 - 1], bytes };
    expect(await refuse({ [name]: cut })).toContain(`${name} is [${cut.shape[0]}], expected [`);
    const notANumber = Buffer.concat([bytes, Buffer.from(Float32Array.of(Number.NaN).buffer)]);
    expect(await refuse({ [name]: { ...tensor, bytes: notANumber } })).toContain(
      `tensor ${name} holds NaN at`,
    );
  });

  it('tells of the tensors by their own names', async () => {
    await write('distilbert', { 'vocab.txt': VOCABULARY.join('\n') });
    const told: string[] = [];
    await convertModel(source, out, { onProgress: ({ tensor }) => told.push(tensor) });
    expect(told.toSorted()).toEqual(Object.keys(tensorsOf('distilbert')).toSorted());
  });

  it('adds the only token type to the places, so that the graph takes none', async () => {
    await write('roberta', { 'tokenizer.json': BPE });
    const told: string[] = [];
    await convertModel(source, out, { onProgress: ({ tensor }) => told.push(tensor) });
    expect(told).toContain('embeddings.token_type_embeddings.weight');
    const graph = await readFile(join(out, 'model.onnx'), 'latin1');
    expect(graph).not.toContain('types_row');
  });
});

describe('convertModel refuses', () => {
  it.each<[string, Type, Readonly<Record<string, unknown>>, ConvertOptions]>([
    ['pooling cls_pooled needs a pooler, DistilBERT has none', 'distilbert', {}, { pooling: 'cls_pooled' }],
    [
      'has no tokenizer.json, which a RoBERTa with vocab.json and merges.txt needs; the Python package transformers writes it',
      'roberta',
      { 'vocab.txt': undefined, 'vocab.json': {}, 'merges.txt': '' },
      {},
    ],
    [
      'has no tokenizer.json, which a RoBERTa with sentencepiece.bpe.model needs',
      'roberta',
      { 'vocab.txt': undefined, 'sentencepiece.bpe.model': '' },
      {},
    ],
    ['has no vocab.txt and no tokenizer.json', 'mpnet', { 'vocab.txt': undefined }, {}],
    ['vocab.txt has no <s>', 'mpnet', {}, {}],
    [
      'lowercase is true, but the tokenizer.json of',
      'roberta',
      { 'vocab.txt': undefined, 'tokenizer.json': BPE },
      { lowercase: true },
    ],
    [
      'the vocabulary has 9 entries, the model has 8',
      'roberta',
      { 'vocab.txt': undefined, 'tokenizer.json': { model: { ...BPE.model, vocab: { a: 8 } } } },
      {},
    ],
    [
      'model.vocab',
      'roberta',
      { 'vocab.txt': undefined, 'tokenizer.json': { model: { type: 'Unigram', vocab: [[1, 2]] } } },
      {},
    ],
    [
      'encoder.layer.0.attention.attn.q.weight is missing, expected [8, 8]',
      'mpnet',
      { 'config.json': 'roberta', 'vocab.txt': MPNET_WORDS.join('\n') },
      {},
    ],
  ])('%s', async (message, type, { 'config.json': weightsOf, ...files }, options) => {
    const tensors = tensorsOf(weightsOf === 'roberta' ? 'roberta' : type);
    const all = { 'vocab.txt': VOCABULARY.join('\n'), ...files, 'config.json': CONFIGS[type] };
    const given = Object.fromEntries(Object.entries(all).filter(([, content]) => content !== undefined));
    await writeHuggingFaceModel(source, tensors, given);
    expect(await refusal(options)).toContain(message);
  });
});

const wordsOf = (type: Type): string => (type === 'mpnet' ? MPNET_WORDS : VOCABULARY).join('\n');

async function refusal(options: ConvertOptions = {}): Promise<string> {
  const thrown: unknown = await convertModel(source, out, options).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(FarmError);
  expect(await readdir(parent)).toEqual(['source']);
  return (thrown as FarmError).message;
}

async function json(directory: string, file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(directory, file), 'utf8'));
}
