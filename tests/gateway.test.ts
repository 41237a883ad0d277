import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGateway, type RunningGateway } from '@embedfarm/gateway/gateway';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { openWorker, type RunningWorker } from '@embedfarm/worker/worker';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let redis: TestRedis;
let folder: string;
let worker: RunningWorker;
let gateway: RunningGateway;
let farm: EmbeddingFarm;
beforeAll(async () => {
  redis = await openTestRedis();
  folder = await mkdtemp(join(tmpdir(), 'embedfarm-gateway-'));
  const model = await writeTinyModel(join(folder, 'tiny'));
  const cacheDir = join(folder, 'cache');
  worker = await openWorker({ redis: redis.url, model, cacheDir, devices: 'cpu:1', calibrate: false });
  gateway = await openGateway({ redis: redis.url, port: 0 });
  farm = await EmbeddingFarm.connect({ redis: redis.url });
  await eventually(async () => (await fetch(`${gateway.url}/readyz`)).status === 200);
});
afterAll(async () => {
  await farm.close();
  await gateway.close();
  await worker.close();
  await redis.close();
  await rm(folder, { recursive: true, force: true });
});

const TEXTS = ['First do it', 'then do it right', 'then do it better', '', 'Zürich 東京 😀'];

describe("A farm behind OpenAI's door", () => {
  it("gives OpenAI's own client the vectors of the SDK bit for bit, in both forms", async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const [model = ''] = (await client.models.list()).data.map(({ id }) => id);
    expect(model).toBe('tiny');
    const expected = await farm.encode(TEXTS);
    const rows = expected.toArrays();
    const tokens = expected.receipts.reduce((sum, receipt) => sum + receipt.tokens, 0);
    for (const encoding_format of [undefined, 'float'] as const) {
      const answer = await client.embeddings.create({
        model,
        input: TEXTS,
        ...(encoding_format === undefined ? {} : { encoding_format }),
      });
      expect(answer.data.map(({ embedding }) => Array.from(embedding))).toEqual(rows);
      expect(answer.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    }
    const short = await client.embeddings.create({ model, input: TEXTS, dimensions: 16 });
    const shortRows = (await farm.encode(TEXTS, { dimensions: 16 })).toArrays();
    expect(short.data.map(({ embedding }) => Array.from(embedding))).toEqual(shortRows);
  });

  it('takes ids of tokens for the tokens that they stand for', async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const [text] = (await farm.encode(['first do it'], { returnTokens: true })).tokens ?? [];
    expect(text).toEqual(['[CLS]', 'first', 'do', 'it', '[SEP]']);
    const vocabulary = await vocabularyOf(join(folder, 'tiny'));
    const ids = ['first', 'do', 'it'].map((token) => vocabulary.indexOf(token));
    const answer = await client.embeddings.create({ model: 'tiny', input: ids });
    const expected = (await farm.encode(['first do it'])).toArrays();
    expect(answer.data.map(({ embedding }) => Array.from(embedding))).toEqual(expected);
    const beyond = client.embeddings.create({ model: 'tiny', input: [ids, [vocabulary.length]] });
    await expect(beyond).rejects.toMatchObject({
      status: 400,
      code: 'invalid_argument',
      message: expect.stringContaining(`the vocabulary has no token with the id ${vocabulary.length}`),
    });
  });
});

describe("A farm behind TEI's door", () => {
  it('gives a vector a token of a model that does not pool', async () => {
    const model = join(folder, 'tiny');
    const cacheDir = join(folder, 'cache');
    const own = { redis: redis.url, prefix: '{tokens}' };
    const tokens = await openWorker({
      ...own,
      model,
      cacheDir,
      devices: 'cpu:1',
      calibrate: false,
      pooling: 'none',
    });
    const door = await openGateway({ ...own, port: 0 });
    const client = await EmbeddingFarm.connect(own);
    try {
      await eventually(async () => (await fetch(`${door.url}/readyz`)).status === 200);
      const answer = await post(`${door.url}/embed_all`, { inputs: ['first do it', 'do'] });
      const expected = await client.encode(['first do it', 'do'], { normalize: false });
      const rows = (await answer.json()) as number[][][];
      expect(rows.map((row) => row.length)).toEqual([5, 3]);
      expect(rows.map((row) => row.flat())).toEqual(expected.toArrays());
      const pooled = await post(`${door.url}/embed`, { inputs: 'first do it' });
      expect(pooled.status).toBe(422);
      expect(await pooled.text()).toContain('gives a vector a token');
    } finally {
      await client.close();
      await door.close();
      await tokens.close();
    }
  });
});

async function post(url: string, body: object): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function vocabularyOf(model: string): Promise<string[]> {
  return (await readFile(join(model, 'vocab.txt'), 'utf8')).trimEnd().split('\n');
}
