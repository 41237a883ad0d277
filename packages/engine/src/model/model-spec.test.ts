import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModelSpec } from './model-spec.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'model-spec-'));
});
afterEach(() => rm(directory, { recursive: true }));

const CONFIG = {
  model_type: 'bert',
  vocab_size: 30_522,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  max_position_embeddings: 512,
  pad_token_id: 0,
};
const MODULE = 'sentence_transformers.models.';
const MODULES = [
  { type: `${MODULE}Transformer`, path: '' },
  { type: `${MODULE}Pooling`, path: '1_Pooling' },
  { type: `${MODULE}Normalize`, path: '2_Normalize' },
];

/** A model directory; what stands in `files` replaces or, where undefined, removes a file. */
async function write(files: Record<string, unknown> = {}): Promise<string> {
  const all: Record<string, unknown> = { 'model.onnx': '', 'vocab.txt': '', 'config.json': CONFIG, ...files };
  for (const [name, content] of Object.entries(all)) {
    if (content === undefined) continue;
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
}

describe('readModelSpec', () => {
  it('reads an export with no more than a graph, a vocabulary and a configuration', async () => {
    expect(await readModelSpec(await write())).toMatchObject({
      graph: 'padded',
      vocabularySize: 30_522,
      dimensions: 384,
      heads: 12,
      layers: 6,
      maxSequenceLength: 512,
      pooling: 'mean',
      normalize: true,
      meaningful: true,
      casing: { lowercase: true, stripAccents: true, splitHan: true },
    });
  });

  it('takes pooling and normalization from the modules of sentence-transformers', async () => {
    const pooling = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };
    const files = { 'modules.json': MODULES.slice(0, 2), '1_Pooling/config.json': pooling };
    expect(await readModelSpec(await write(files))).toMatchObject({ pooling: 'cls', normalize: false });
  });

  it('lets the caller wish otherwise', async () => {
    const files = {
      'modules.json': MODULES,
      '1_Pooling/config.json': { pooling_mode_weightedmean_tokens: true },
    };
    const spec = await readModelSpec(await write(files), { pooling: 'max', normalize: false });
    expect(spec).toMatchObject({ pooling: 'max', normalize: false });
  });

  it('takes the shortest limit, and leaves a senseless one out', async () => {
    const files = {
      'tokenizer_config.json': { model_max_length: 1e30, do_lower_case: false },
      'sentence_bert_config.json': { max_seq_length: 256 },
    };
    const spec = await readModelSpec(await write(files));
    expect(spec).toMatchObject({ maxSequenceLength: 256, casing: { lowercase: false, stripAccents: false } });
  });

  it('leaves out the positions that roberta keeps for padding', async () => {
    const config = { ...CONFIG, model_type: 'xlm-roberta', max_position_embeddings: 514, pad_token_id: 1 };
    expect(await readModelSpec(await write({ 'config.json': config }))).toMatchObject({
      maxSequenceLength: 512,
      padId: 1,
    });
  });

  it('knows the fields of DistilBERT by their own names', async () => {
    const { hidden_size: dim, num_hidden_layers: n_layers, num_attention_heads: n_heads, ...rest } = CONFIG;
    const config = { ...rest, model_type: 'distilbert', dim, n_layers, n_heads };
    const spec = await readModelSpec(await write({ 'config.json': config }));
    expect(spec).toMatchObject({ dimensions: 384, layers: 6, heads: 12, maxSequenceLength: 512 });
    const broken = readModelSpec(await write({ 'config.json': { ...config, dim: 'wide' } }));
    await expect(broken).rejects.toThrow(/config\.json: .*hidden_size/s);
  });

  it('takes the longest sequence of a packed graph from embedfarm.json', async () => {
    const config = { ...CONFIG, model_type: 'roberta', max_position_embeddings: 514, pad_token_id: 3 };
    const packed = { format: 1, graph: 'packed', layers: 6, maxPositions: 300, meaningful: true };
    const files = { 'config.json': config, 'embedfarm.json': packed };
    expect((await readModelSpec(await write(files))).maxSequenceLength).toBe(300);
  });

  it('knows a packed graph, its layers and its meaning by embedfarm.json', async () => {
    const packed = { format: 1, graph: 'packed', layers: 4, meaningful: false };
    expect(await readModelSpec(await write({ 'embedfarm.json': packed }))).toMatchObject({
      graph: 'packed',
      layers: 4,
      meaningful: false,
    });
  });

  it('takes what a packed graph gives from embedfarm.json, and one without it for the last block it has', async () => {
    const packed = { format: 1, graph: 'packed', layers: 5, meaningful: true };
    const old = await readModelSpec(await write({ 'embedfarm.json': packed }), { poolingLayers: [-2] });
    expect(old).toMatchObject({ output: 'tokens', pooling: 'mean', poolingLayers: [4], dimensions: 384 });
    const given = { output: 'tokens', pooling: 'mean_max', poolingLayers: [4, 1] };
    const spec = await readModelSpec(await write({ 'embedfarm.json': { ...packed, ...given } }));
    expect(spec).toMatchObject({ ...given, dimensions: 4 * 384 });
  });

  it.each([
    [{}, { poolingLayers: [-1] }, /-1 needs the states of block 6 of 6, .* gives those of block 5 of 6/],
    [{}, { poolingLayers: [-7] }, /poolingLayers must be -6 to 5/],
    [{}, { pooling: 'cls_pooled' }, /cls_pooled needs the pooler, .* gives the states of all tokens/],
    [
      { output: 'first' },
      { pooling: 'mean' },
      /mean needs .* all tokens, .* gives the states of first tokens/,
    ],
    [{ output: 'pooled' }, { pooling: 'cls' }, /cls needs .* first tokens, .* gives the pooler/],
  ] as const)('refuses to have of a graph %j what it does not give: %j', async (graph, wishes, message) => {
    const packed = { format: 1, graph: 'packed', layers: 5, poolingLayers: [4], meaningful: true };
    const directory = await write({ 'embedfarm.json': { ...packed, ...graph } });
    await expect(readModelSpec(directory, wishes)).rejects.toThrow(message);
  });

  it('cuts sequences shorter where it is wished, and never longer than the model takes', async () => {
    expect(await readModelSpec(await write(), { maxSequenceLength: 25 })).toMatchObject({
      maxSequenceLength: 25,
    });
    const tooLong = readModelSpec(directory, { maxSequenceLength: 513 });
    await expect(tooLong).rejects.toThrow('maxSequenceLength is 513, the model takes 512 tokens');
  });

  it('keeps or drops capitals with their accents where it is wished', async () => {
    const files = { 'tokenizer_config.json': { do_lower_case: true, strip_accents: true } };
    const { casing } = await readModelSpec(await write(files), { lowercase: false });
    expect(casing).toMatchObject({ lowercase: false, stripAccents: false });
  });

  it('makes texts lower case first where sentence_bert_config.json says so, and accents stay', async () => {
    const files = {
      'tokenizer_config.json': { do_lower_case: false },
      'sentence_bert_config.json': { do_lower_case: true },
    };
    const casing = { lowercase: true, stripAccents: false };
    expect(await readModelSpec(await write(files))).toMatchObject({ lowercaseFirst: true, casing });
    const wished = await readModelSpec(directory, { lowercase: false });
    expect(wished).toMatchObject({ lowercaseFirst: false, casing: { lowercase: false } });
  });

  it('knows prompts, their default, and whether they are pooled', async () => {
    expect(await readModelSpec(await write())).toMatchObject({
      prompts: { prompts: {}, defaultPromptName: undefined },
      includePrompt: true,
    });
    const prompts = { query: 'query: ', passage: '' };
    const files = {
      'config_sentence_transformers.json': { prompts, default_prompt_name: 'query' },
      'modules.json': MODULES,
      '1_Pooling/config.json': { pooling_mode_mean_tokens: true, include_prompt: false },
    };
    const known = { prompts: { prompts, defaultPromptName: 'query' }, includePrompt: false };
    expect(await readModelSpec(await write(files))).toMatchObject(known);
    expect(await readModelSpec(directory, { pooling: 'max' })).toMatchObject(known);
    await write({ 'config_sentence_transformers.json': { prompts, default_prompt_name: 'q' } });
    await expect(readModelSpec(directory)).rejects.toThrow(
      'default_prompt_name is q, the prompts are: query, passage',
    );
  });

  it('finds the graph in onnx/, and takes tokenizer.json before vocab.txt', async () => {
    const { files } = await readModelSpec(
      await write({ 'model.onnx': undefined, 'onnx/model.onnx': '', 'tokenizer.json': '{}' }),
    );
    expect(files.graph).toBe(join(directory, 'onnx', 'model.onnx'));
    expect(files.tokenizer).toEqual({ kind: 'json', path: join(directory, 'tokenizer.json') });
  });

  it.each([
    ['model.onnx', /has no model\.onnx and no onnx/],
    ['vocab.txt', /has no tokenizer\.json and no vocab\.txt/],
    ['config.json', /has no config\.json/],
  ])('names a missing %s', async (name, message) => {
    await expect(readModelSpec(await write({ [name]: undefined }))).rejects.toThrow(message);
  });

  it.each(['model.onnx', 'vocab.txt', 'config.json'])('takes a folder %s for none', async (name) => {
    const path = await write({ [name]: undefined });
    await mkdir(join(path, name));
    await expect(readModelSpec(path)).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringContaining(name) as string,
    });
  });

  it.each([
    ['config.json', '{ "hidden', /config\.json is not JSON/],
    ['config.json', { ...CONFIG, hidden_size: 'wide' }, /config\.json: .*hidden_size/s],
    ['embedfarm.json', { format: 2 }, /embedfarm\.json: .*format/s],
    ['modules.json', MODULES, /has no 1_Pooling\/config\.json/],
    [
      'modules.json',
      [{ type: `${MODULE}Dense`, path: '2_Dense' }],
      /module sentence_transformers\.models\.Dense/,
    ],
    ['sentence_bert_config.json', { max_seq_length: 2 }, /takes 2 tokens .* at least 3/],
  ])('refuses a %s that it does not understand', async (name, content, message) => {
    await expect(readModelSpec(await write({ [name]: content }))).rejects.toThrow(message);
  });

  it.each([
    [{ pooling_mode_weightedmean_tokens: true }, /pooling pooling_mode_weightedmean_tokens is not known/],
    [{ pooling_mode_cls_token: true, pooling_mode_max_tokens: true }, /cls_token with pooling_mode_max/],
    [{}, /pooling of no mode/],
  ])('refuses a pooling that it does not know', async (pooling, message) => {
    const files = { 'modules.json': MODULES, '1_Pooling/config.json': pooling };
    await expect(readModelSpec(await write(files))).rejects.toThrow(message);
  });

  it('refuses what is no directory', async () => {
    await expect(readModelSpec(join(directory, 'nowhere'))).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
});
