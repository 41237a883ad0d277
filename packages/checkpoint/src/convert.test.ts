import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { convertModel, type ConvertProgress } from './convert.ts';
import { writePackedModel, type PackedModel } from './packed-model.ts';
import type { Pooling } from './pooling.ts';
import { randomBertWeights } from './random-bert-weights.ts';
import { safetensorsOf } from './safetensors.fixture.ts';
import { bertWeightShapes } from './bert-weights.ts';
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

describe('convertModel', () => {
  it('cuts to a length that is asked for, at most to what the model takes', async () => {
    await writeHuggingFaceModel(source, huggingFaceTensors(weights));
    expect(await convertModel(source, out, { maxSequenceLength: 7 })).toMatchObject({ maxSequenceLength: 7 });
    expect(JSON.parse(await readFile(join(out, 'sentence_bert_config.json'), 'utf8'))).toMatchObject({
      max_seq_length: 7,
    });
    await expect(
      convertModel(source, join(parent, 'longer'), { maxSequenceLength: 17 }),
    ).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: 'maxSequenceLength is 17, the model takes 16 tokens',
    });
  });

  it.each([
    [
      'a TensorFlow checkpoint',
      () => writeGoogleModel(source, googleTensors(weights), { shards: 3, snappy: true }),
    ],
    ['safetensors', () => writeHuggingFaceModel(source, huggingFaceTensors(weights, { prefix: 'bert.' }))],
  ])('makes of %s the same model, to the bit, as of the weights themselves', async (_, write) => {
    const { directory, ...converted } = await convertModel(await write(), out);
    expect(directory).toBe(out);
    expect(converted).toMatchObject({
      layers: 2,
      dimensions: 8,
      pooling: 'mean',
      normalize: true,
      maxSequenceLength: 16,
    });
    const expected = await writePackedModel(join(parent, 'expected'), {
      config: TINY,
      weights,
      vocabulary: VOCABULARY,
      lowercase: true,
      pooling: 'mean',
      normalize: true,
      meaningful: true,
    });
    expect(await readdir(out)).toEqual(await readdir(expected));
    for (const file of [
      'model.onnx',
      'model.onnx.data',
      'config.json',
      'embedfarm.json',
      'tokenizer_config.json',
    ]) {
      expect((await readFile(join(out, file))).equals(await readFile(join(expected, file))), file).toBe(true);
    }
  });

  it('reads half precision and files in parts', async () => {
    await writeHuggingFaceModel(source, huggingFaceTensors(weights));
    const halves = Object.entries(huggingFaceTensors(weights)).map(([name, { shape, bytes }], i) => {
      const upper = new Uint16Array(bytes.slice().buffer).filter((_, at) => at % 2 === 1);
      return [
        `part-${i % 2}.safetensors`,
        name,
        { dtype: 'BF16', shape, bytes: new Uint8Array(upper.buffer) },
      ] as const;
    });
    for (const part of ['part-0.safetensors', 'part-1.safetensors']) {
      const own = halves.filter(([file]) => file === part).map(([, name, tensor]) => [name, tensor] as const);
      await writeFile(join(source, part), safetensorsOf(Object.fromEntries(own)));
    }
    const index = { weight_map: Object.fromEntries(halves.map(([file, name]) => [name, file])) };
    await writeFiles(source, { 'model.safetensors.index.json': index });
    await rm(join(source, 'model.safetensors'));
    expect(await convertModel(source, out)).toMatchObject({
      weightsFile: join(source, 'model.safetensors.index.json'),
    });
  });

  it('cuts, pools, scales and cases as it is told', async () => {
    await writeGoogleModel(source, googleTensors(weights));
    const options = { layers: 1, pooling: 'cls', normalize: false, lowercase: false } as const;
    expect(await convertModel(source, out, options)).toMatchObject({ ...options, casingFrom: 'option' });
    expect(await json('embedfarm.json')).toMatchObject({ layers: 1, meaningful: true });
    expect(await json('1_Pooling/config.json')).toMatchObject({ pooling_mode_cls_token: true });
    expect(await json('tokenizer_config.json')).toMatchObject({ do_lower_case: false });
    expect(await readFile(join(out, 'modules.json'), 'utf8')).not.toContain('Normalize');
  });

  it('understands the files of sentence-transformers, with the encoder in a directory of its own', async () => {
    await writeHuggingFaceModel(join(source, '0_Transformer'), huggingFaceTensors(weights), {
      'vocab.txt': VOCABULARY.join('\n'),
      'tokenizer.json': tokenizerJson(VOCABULARY, false),
      'special_tokens_map.json': { cls_token: '[CLS]' },
      'tokenizer_config.json': { do_lower_case: true, model_max_length: 14, strip_accents: false },
      'sentence_bert_config.json': { max_seq_length: 12, do_lower_case: false },
    });
    await writeFiles(source, {
      'modules.json': [
        { idx: 0, path: '0_Transformer', type: 'sentence_transformers.models.Transformer' },
        { idx: 1, path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      ],
      '1_Pooling/config.json': { word_embedding_dimension: 8, pooling_mode_max_tokens: true },
    });
    expect(await convertModel(source, out)).toMatchObject({
      format: 'safetensors',
      pooling: 'max',
      normalize: false,
      maxSequenceLength: 12,
      lowercase: false,
      casingFrom: 'tokenizer.json',
    });
    expect(await json('tokenizer.json')).toEqual(tokenizerJson(VOCABULARY, false));
    expect(await json('special_tokens_map.json')).toEqual({ cls_token: '[CLS]' });
    expect(await json('tokenizer_config.json')).toMatchObject({ strip_accents: false, model_max_length: 12 });
  });

  it('keeps prompts, whether they are pooled, and lower case that the tokenizer does not know of', async () => {
    const prompts = {
      prompts: { query: 'query: ' },
      default_prompt_name: 'query',
      similarity_fn_name: 'cosine',
    };
    await writeHuggingFaceModel(source, huggingFaceTensors(weights), {
      'tokenizer.json': tokenizerJson(VOCABULARY, false),
      'sentence_bert_config.json': { do_lower_case: true },
      'config_sentence_transformers.json': prompts,
      'modules.json': [{ path: '1_Pooling', type: 'sentence_transformers.models.Pooling' }],
      '1_Pooling/config.json': { pooling_mode_mean_tokens: true, include_prompt: false },
    });
    expect(await convertModel(source, out)).toMatchObject({ lowercase: true, casingFrom: 'tokenizer.json' });
    expect(await json('config_sentence_transformers.json')).toEqual(prompts);
    expect(await json('1_Pooling/config.json')).toMatchObject({ include_prompt: false });
    expect(await json('sentence_bert_config.json')).toMatchObject({ do_lower_case: true });
  });

  it('takes the vocabulary out of a tokenizer.json where there is no vocab.txt', async () => {
    const files = { 'tokenizer.json': tokenizerJson(VOCABULARY, true) };
    await writeHuggingFaceModel(source, huggingFaceTensors(weights), files);
    await convertModel(source, out);
    expect(await readFile(join(out, 'vocab.txt'), 'utf8')).toBe(`${VOCABULARY.join('\n')}\n`);
  });

  it('takes safetensors where both formats are, and a checkpoint that is named', async () => {
    const other = randomBertWeights(TINY, 6);
    await writeGoogleModel(source, googleTensors(other));
    await writeHuggingFaceModel(source, huggingFaceTensors(weights));
    expect(await convertModel(source, out)).toMatchObject({ format: 'safetensors' });
    const named = await convertModel(source, join(parent, 'named'), { checkpoint: 'bert_model.ckpt.index' });
    expect(named).toMatchObject({ format: 'tensor_bundle', weightsFile: join(source, 'bert_model.ckpt') });
  });

  it.each<[string, Pick<PackedModel, 'poolingLayers'> & { pooling?: Pooling }, object]>([
    ['layer -2', { poolingLayers: [-2] }, { layers: 1, poolingLayers: [0], dimensions: 8 }],
    [
      'two layers side by side',
      { poolingLayers: [-1, -2], pooling: 'mean_max' },
      { poolingLayers: [1, 0], dimensions: 32 },
    ],
    ['the pooler', { pooling: 'cls_pooled' }, { layers: 2, poolingLayers: [1], dimensions: 8 }],
  ])('takes the layers of bert-as-service: %s', async (_, { pooling = 'mean', ...layers }, expected) => {
    const whole = randomBertWeights(TINY, 5, { pooler: true });
    await writeGoogleModel(source, googleTensors(whole));
    let last: ConvertProgress | undefined;
    const onProgress = (progress: ConvertProgress): void => void (last = progress);
    const converted = await convertModel(source, out, { pooling, ...layers, onProgress });
    expect(converted).toMatchObject(expected);
    expect(last?.done).toBe(last?.total);
    const model = { config: TINY, weights: whole, vocabulary: VOCABULARY, lowercase: true, meaningful: true };
    const rest = { pooling, normalize: true, ...layers } as const;
    const written = await writePackedModel(join(parent, 'expected'), { ...model, ...rest });
    for (const file of ['model.onnx', 'model.onnx.data', 'embedfarm.json']) {
      expect((await readFile(join(out, file))).equals(await readFile(join(written, file))), file).toBe(true);
    }
  });

  it('tells of every tensor once, and can be cancelled between two', async () => {
    await writeGoogleModel(source, googleTensors(weights));
    const told: ConvertProgress[] = [];
    await convertModel(source, out, { layers: 1, onProgress: (progress) => told.push(progress) });
    const names = [...bertWeightShapes(TINY, 1).keys()];
    expect(told.map(({ tensor }) => tensor).toSorted()).toEqual(names.toSorted());
    expect(told.map(({ done }) => done)).toEqual(names.map((_, i) => i + 1));
    expect(told[0]?.total).toBe(names.length);

    const abort = new AbortController();
    const onProgress = ({ done }: ConvertProgress): void => {
      if (done === 5) abort.abort();
    };
    const cancelled = convertModel(source, join(parent, 'cancelled'), { onProgress, signal: abort.signal });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect((await readdir(parent)).toSorted()).toEqual(['out', 'source']);
  });
});

async function json(file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(out, file), 'utf8'));
}
