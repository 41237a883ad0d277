import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EncodeOptions, EncodeText, VectorDtype } from '@embedfarm/contract';
import { Engine } from '@embedfarm/engine/engine';
import { EmbeddingFarm, type AnyEmbeddings } from '@embedfarm/sdk';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { openWorker, type RunningWorker } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROMPTS = { prompts: { query: 'a question of ', none: '' }, default_prompt_name: 'none' };
const TEXTS: readonly EncodeText[] = [
  'the river',
  ['time', 'a river'],
  '',
  ['the river '.repeat(40), 'time'],
];
const LISTS: readonly EncodeText[] = [['the', 'River'], [['time'], ['a', 'wing']], []];

describe('what a request may say and get, through the farm', () => {
  let folder: string;
  let redis: TestRedis;
  let worker: RunningWorker;
  let engine: Engine;
  let farm: EmbeddingFarm;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-inputs-'));
    redis = await openTestRedis();
    const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
    await writeFile(join(model, 'config_sentence_transformers.json'), JSON.stringify(PROMPTS));
    worker = await openWorker({ redis: redis.url, model, devices: 'cpu:1' });
    engine = await Engine.open({ model, devices: 'cpu:1' });
    farm = await EmbeddingFarm.connect({ redis: redis.url });
  });
  afterAll(async () => {
    await farm.close();
    await engine.close();
    await worker.close();
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  const bytesOf = (embeddings: AnyEmbeddings): number[] =>
    Array.from({ length: embeddings.rows }, (_, index) => [...embeddings.bytesAt(index)]).flat();

  /** By the engine in process. */
  async function bytesAlone(
    texts: readonly EncodeText[],
    options: Partial<EncodeOptions>,
  ): Promise<number[]> {
    const { values, failures } = await engine.encode(texts, options);
    expect(failures).toEqual([]);
    return [...new Uint8Array(values.buffer, values.byteOffset, values.byteLength)];
  }

  it.each<[VectorDtype, number]>([
    ['float32', 4 * 30],
    ['float16', 2 * 30],
    ['int8', 30],
    ['binary', 4],
  ])('vectors as %s take %i bytes of 30 dimensions, the same as in process', async (dtype, bytes) => {
    const options = { dtype, dimensions: 30 };
    const embeddings = await farm.encode(TEXTS, options);
    expect([embeddings.dtype, embeddings.bytesAt(0).length]).toEqual([dtype, bytes]);
    expect(bytesOf(embeddings)).toEqual(await bytesAlone(TEXTS, options));
    const submitted = await (await farm.submit(TEXTS, options)).result();
    expect(bytesOf(submitted)).toEqual(bytesOf(embeddings));
  });

  it.each<[string, readonly EncodeText[], Partial<EncodeOptions>]>([
    ['pairs cut at the start', TEXTS, { truncate: 'start' }],
    ['lists of tokens', LISTS, { tokens: true, prompt: '' }],
    ['a prompt by name', TEXTS, { promptName: 'query' }],
    ['a prompt', TEXTS, { prompt: 'the time of ' }],
  ])('%s give what they give in process', async (_, texts, options) => {
    const embeddings = await farm.encode(texts, options);
    expect(bytesOf(embeddings)).toEqual(await bytesAlone(texts, options));
  });

  it('tokens come back where they are asked for, with a prompt and after a cut', async () => {
    const { tokens, receipts } = await farm.encode(TEXTS, { promptName: 'query', returnTokens: true });
    expect(tokens?.slice(0, 3)).toEqual([
      ['[CLS]', 'a', 'question', 'of', 'the', 'river', '[SEP]'],
      ['[CLS]', 'a', 'question', 'of', 'time', '[SEP]', 'a', 'river', '[SEP]'],
      ['[CLS]', 'a', 'question', 'of', '[SEP]'],
    ]);
    expect(tokens?.[3]).toHaveLength(32);
    expect(receipts.map(({ truncated }) => truncated)).toEqual([false, false, false, true]);
    const lists = await farm.encode(LISTS, { tokens: true, prompt: '', returnTokens: true });
    expect(lists.tokens?.[0]).toEqual(['[CLS]', 'the', '[UNK]', '[SEP]']);
  });

  it('a prompt that is not there is refused by its name, before anything is sent', async () => {
    await expect(farm.encode(TEXTS, { promptName: 'passage' })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: 'promptName is "passage", the prompts of the model "tiny" are: query, none',
    });
    const { models } = await farm.status();
    expect(models).toMatchObject([
      { promptNames: ['query', 'none'], defaultPromptName: 'none', dimensions: 32 },
    ]);
  });
});
