import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { convertModel } from './convert.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { floatTensor } from './tensor-bundle/bundle.fixture.ts';
import {
  googleTensors,
  huggingFaceTensors,
  TINY,
  tokenizerJson,
  VOCABULARY,
  writeFiles,
  writeGoogleModel,
  writeHuggingFaceModel,
} from './pretrained.fixture.ts';

let parent: string;
let source: string;
let out: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'embedfarm-convert-'));
  source = join(parent, 'source');
  out = join(parent, 'out');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const weights = randomBertWeights(TINY, 5);

describe('convertModel refuses, and leaves nothing behind:', () => {
  const google = googleTensors(weights);
  const bias = 'bert/encoder/layer_1/output/dense/bias';
  const { [bias]: _, ...lacking } = google;

  it.each<[string, typeof google]>([
    ['encoder.layer.1.output.dense.bias is missing, expected [8]', lacking],
    [
      'encoder.layer.1.output.dense.bias is [9], expected [8]',
      { ...google, [bias]: floatTensor([9], new Float32Array(9)) },
    ],
    [
      'tensor encoder.layer.1.output.dense.bias holds NaN at 3',
      { ...google, [bias]: floatTensor([8], [0, 0, 0, NaN, 0, 0, 0, 0]) },
    ],
    [
      `tensor ${bias} has elements of type bool`,
      { ...google, [bias]: { type: 10, shape: [8], bytes: new Uint8Array(8) } },
    ],
    [
      'bert_model.ckpt holds no BERT encoder; of its 1 tensors the first are: w',
      { w: floatTensor([1], [1]) },
    ],
  ])('weights where %s', async (message, tensors) => {
    await writeGoogleModel(source, tensors);
    expect(await refusal()).toContain(message);
  });

  it('a checkpoint that was cut off', async () => {
    await writeGoogleModel(source, google);
    await truncate(join(source, 'bert_model.ckpt.data-00000-of-00001'), 100);
    expect(await refusal()).toContain('bert_model.ckpt.data-00000-of-00001: tensor');
  });

  it.each<[string, string, unknown]>([
    ['modules.json: module Dense is not known', 'modules.json', [{ type: 'x.Dense', path: '2_Dense' }]],
    ['must be the name of a directory in it', 'modules.json', [{ type: 'x.Pooling', path: '../other' }]],
    ['must be the name of a directory in it', 'modules.json', [{ type: 'x.Transformer', path: '..' }]],
    ['1_Pooling/config.json is missing', 'modules.json', [{ type: 'x.Pooling', path: '1_Pooling' }]],
    [
      'default_prompt_name is query, the prompts are: passage',
      'config_sentence_transformers.json',
      { prompts: { passage: 'passage: ' }, default_prompt_name: 'query' },
    ],
    [
      'tokenizer.json: its 2 tokens do not have the ids 0 to 1, b has 7',
      'tokenizer.json',
      { model: { vocab: { a: 0, b: 7 } } },
    ],
    ['config.json is not JSON', 'config.json', '{'],
    ['config.json: not the config of a BERT model', 'config.json', { model_type: 'bert' }],
    ['config.json: the weights of model_type albert cannot be read', 'config.json', { model_type: 'albert' }],
    ['num_hidden_layers', 'config.json', { vocab_size: 8, hidden_size: 8, num_hidden_layers: 1e9 }],
    ['is_decoder', 'config.json', { is_decoder: true }],
    ['the vocabulary has 9 entries, the model has 8', 'vocab.txt', [...VOCABULARY, 'more'].join('\n')],
  ])('a model where %s', async (message, file, content) => {
    await writeHuggingFaceModel(source, huggingFaceTensors(weights));
    await writeFiles(source, { 'tokenizer.json': tokenizerJson(VOCABULARY, false), [file]: content });
    expect(await refusal()).toContain(message);
  });

  it('two pooling modes at once, unless it is told which one', async () => {
    await writeHuggingFaceModel(source, huggingFaceTensors(weights));
    const config = { pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true };
    await writeFiles(source, { 'modules.json': [{ type: 'x.Pooling', path: 'p' }], 'p/config.json': config });
    expect(await refusal()).toContain(
      'pooling pooling_mode_mean_tokens with pooling_mode_max_tokens is not known',
    );
    expect(await convertModel(source, out, { pooling: 'mean' })).toMatchObject({ pooling: 'mean' });
  });

  it('a pooling that cannot say that prompts are left out of it', async () => {
    await writeHuggingFaceModel(source, huggingFaceTensors(weights));
    const config = { pooling_mode_mean_tokens: true, include_prompt: false };
    await writeFiles(source, { 'modules.json': [{ type: 'x.Pooling', path: 'p' }], 'p/config.json': config });
    expect(await refusal({ pooling: 'mean_max' })).toContain('leaves prompts out of pooling');
  });

  it('a casing that the tokenizer.json contradicts', async () => {
    const files = { 'tokenizer.json': tokenizerJson(VOCABULARY, true) };
    await writeHuggingFaceModel(source, huggingFaceTensors(weights), files);
    expect(await refusal({ lowercase: false })).toContain('lowercase is false, but the tokenizer.json');
  });

  it('options that are unknown or out of range', async () => {
    await writeGoogleModel(source, google);
    expect(await refusal({ layer: 2 } as object)).toContain('Unrecognized key: "layer"');
    expect(await refusal({ layers: 3 })).toContain('layers must be 1 to 2, got 3');
    expect(await refusal({ poolingLayers: [-3] })).toContain('poolingLayers must be -2 to 1');
    expect(await refusal({ pooling: 'cls_pooled' })).toContain('pooler.dense.weight is missing');
    expect(await refusal({ checkpoint: 'missing.ckpt' })).toContain('missing.ckpt.index is missing');
  });

  it('directories in which no model, or more than one, is found', async () => {
    expect(await refusal()).toContain('source is not a directory that can be read');
    await mkdir(source);
    expect(await refusal()).toContain(
      'has no model.safetensors, no model.safetensors.index.json and no bert_model.ckpt.index',
    );
    await writeFile(join(source, 'pytorch_model.bin'), '');
    expect(await refusal()).toContain('its pytorch_model.bin must be saved as safetensors first');
    await writeGoogleModel(source, google);
    await rm(join(source, 'vocab.txt'));
    expect(await refusal()).toContain('has no vocab.txt and no tokenizer.json');
    await rm(join(source, 'bert_config.json'));
    expect(await refusal()).toContain('has no bert_config.json and no config.json');
    for (const name of ['a', 'b']) await writeFile(join(source, `${name}.index`), '');
    await rm(join(source, 'bert_model.ckpt.index'));
    expect(await refusal()).toContain('has several checkpoints, name one of: a, b');
  });

  /** The message; what else it does than to refuse is told instead. */
  async function refusal(options: object = {}): Promise<string> {
    const error: unknown = await convertModel(source, out, options).catch((cause: unknown) => cause);
    const left = (await readdir(parent)).filter((name) => name !== 'source');
    if (left.length > 0) return `it left ${left.join(', ')}`;
    return error instanceof FarmError && error.code === 'invalid_argument'
      ? error.message
      : `got ${String(error)}`;
  }
});
