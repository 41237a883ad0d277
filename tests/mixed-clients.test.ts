import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EncodeOptions, EncodeText } from '@embedfarm/contract';
import { Engine } from '@embedfarm/engine/engine';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { openWorker, type RunningWorker } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROMPTS = { prompts: { query: 'a question of ', passage: 'the ' }, default_prompt_name: 'query' };
const TEXTS: readonly EncodeText[] = ['the river', ['time', 'a river'], '', ['the river '.repeat(40), '']];
const LISTS: readonly EncodeText[] = [['the', 'River'], [['time'], ['a', 'wing']], []];

const WISHES: readonly [readonly EncodeText[], Partial<EncodeOptions>][] = [
  [TEXTS, {}],
  [TEXTS, { dtype: 'float16' }],
  [TEXTS, { dtype: 'int8' }],
  [TEXTS, { dtype: 'binary', dimensions: 13 }],
  [TEXTS, { dimensions: 5 }],
  [TEXTS, { normalize: false }],
  [TEXTS, { truncate: 'start', prompt: '' }],
  [TEXTS, { promptName: 'passage' }],
  [TEXTS, { prompt: 'do ', returnTokens: true }],
  [TEXTS, { returnTokens: true }],
  [LISTS, { tokens: true, prompt: '' }],
  [LISTS, { tokens: true, prompt: '', returnTokens: true, dtype: 'float16', normalize: false }],
];

describe('clients that want different things at the same time', () => {
  let folder: string;
  let redis: TestRedis;
  let workers: RunningWorker[];
  let engine: Engine;
  let farms: EmbeddingFarm[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-mixed-'));
    redis = await openTestRedis();
    const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
    await writeFile(join(model, 'config_sentence_transformers.json'), JSON.stringify(PROMPTS));
    const own = { redis: redis.url, model, cacheDir: join(folder, 'cache') };
    workers = [
      await openWorker({ ...own, devices: 'cpu:1' }),
      await openWorker({ ...own, devices: 'cpu:2' }),
    ];
    engine = await Engine.open({ model, devices: 'cpu:1' });
    const connect = (): Promise<EmbeddingFarm> => EmbeddingFarm.connect({ redis: redis.url });
    farms = [await connect(), await connect(), await connect()];
  });
  afterAll(async () => {
    await Promise.all(farms.map((farm) => farm.close()));
    await engine.close();
    await Promise.all(workers.map((worker) => worker.close()));
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('get what the engine in process gives, bit for bit, from two workers', async () => {
    const checks = [1, 2, 3].flatMap((round) =>
      farms.flatMap((farm) =>
        WISHES.map(async ([texts, options]) => {
          // Ones and twos of the texts: calls of one tick share jobs only with their like.
          const part = texts.slice(0, (round % texts.length) + 1);
          const [got, expected] = [await farm.encode(part, options), await engine.encode(part, options)];
          expect(expected.failures).toEqual([]);
          const { buffer, byteOffset, byteLength } = expected.values;
          const bytes = Array.from(part, (_, index) => got.bytesAt(index));
          expect(Buffer.concat(bytes).equals(Buffer.from(buffer, byteOffset, byteLength))).toBe(true);
          expect([got.dtype, got.dimensions, got.tokens]).toEqual([
            expected.dtype,
            expected.dimensions,
            expected.tokenLists,
          ]);
          expect(got.receipts.map(({ tokens }) => tokens)).toEqual([...expected.tokens]);
        }),
      ),
    );
    await Promise.all(checks);
  });

  it('share a job in one tick only with calls that want the same', async () => {
    const [farm] = farms as [EmbeddingFarm];
    // Time in the queue is a job's own: calls of one job have the same.
    const calls = WISHES.flatMap(([texts, options]) => [
      farm.encode(texts, options),
      farm.encode(texts, options),
    ]);
    const done = await Promise.all(calls);
    for (const [at, first] of done.entries()) {
      const second = done[at + 1];
      if (at % 2 === 1 || !second) continue;
      const { totalMs: _a, ...one } = first.timing;
      const { totalMs: _b, ...other } = second.timing;
      expect(one).toEqual(other);
    }
  });
});
