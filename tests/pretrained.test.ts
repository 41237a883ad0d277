import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { referenceHidden, referencePool } from '@embedfarm/testkit/reference-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { tinyModel } from '@embedfarm/testkit/tiny-model';
import { writeWeights } from '@embedfarm/testkit/write-weights';
import { openWorker, type WorkerOptions } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const EMBEDFARM = fileURLToPath(new URL('../apps/cli/bin/embedfarm.js', import.meta.url));
/** Pretrained models and what others compute with them; they stand beside the checkout, where it has them. */
const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));

// The numbers of convert.test.ts in the engine, on the whole way: worker --model DIR, Redis, encode --json.
describe('`embedfarm encode --json` of a model as it was pretrained', () => {
  let redis: TestRedis;
  let folder: string;

  beforeAll(async () => {
    redis = await openTestRedis();
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-pretrained-'));
  }, 300_000);
  afterAll(async () => {
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function encode(
    options: Omit<WorkerOptions, 'redis' | 'devices' | 'cacheDir'>,
    texts: readonly string[],
  ): Promise<number[]> {
    const cacheDir = join(folder, 'cache');
    const worker = await openWorker({ redis: redis.url, devices: 'cpu:1', cacheDir, ...options });
    try {
      const args = [EMBEDFARM, 'encode', '--json', '--model', worker.registration.model, '--', ...texts];
      const { stdout } = await run(process.execPath, args, {
        env: { ...process.env, REDIS_URL: redis.url },
        maxBuffer: 1e9,
      });
      return (JSON.parse(stdout) as { embeddings: number[][] }).embeddings.flat();
    } finally {
      await worker.close();
    }
  }

  it('gives the vectors of the float64 reference, of weights that are made here', async () => {
    const model = await writeWeights(join(folder, 'made-here'));
    const { config, weights, vocabulary } = tinyModel();
    const ids = ['[CLS]', 'the', 'river', '[SEP]'].map((token) => vocabulary.indexOf(token));
    const hidden = referenceHidden(config, weights, ids);
    const expected = referencePool(hidden, ids.length, config.hiddenSize, 'mean', true);
    expect(largestDifference(await encode({ model }, ['The  RIVER']), expected)).toBeLessThan(1e-5);
  });

  it('gives the states of every token that others have of a checkpoint of run_pretraining.py', async ({
    skip,
  }) => {
    const model = need('keras-bert-tiny-ckpt', skip);
    const cases = casesOf<{ text: unknown; padded_to: number | null; hidden_states: number[][][] }>(model);
    const alone = cases.filter(({ text, padded_to: padded }) => typeof text === 'string' && padded === null);
    expect(alone).toHaveLength(5);
    const options = { model, name: 'keras', pooling: 'none', normalize: false } as const;
    const states = await encode(
      options,
      alone.map(({ text }) => String(text)),
    );
    const expected = alone.flatMap(({ hidden_states: layers }) => (layers.at(-1) ?? []).flat());
    expect(largestDifference(states, expected)).toBeLessThan(1e-5);
  });

  it.for(['safetensors', 'tensor bundle'])(
    'gives the pooled states that others have of a model of 30,522 words, from its %s',
    async (form, { skip }) => {
      const data = need('synthetic-bert-32', skip);
      const vocabulary = need('vocabs/bert-base-uncased.vocab.txt', skip);
      const model = join(folder, form.replace(' ', '-'));
      await mkdir(model);
      const isBundle = form === 'tensor bundle';
      for (const name of await readdir(data)) {
        const isOfForm = isBundle
          ? name.startsWith('bert_')
          : /^(config\.json|model\.safetensors)$/.test(name);
        if (isOfForm) await copyFile(join(data, name), join(model, name));
      }
      await copyFile(vocabulary, join(model, 'vocab.txt'));
      type Pooled = Record<'mean' | 'max' | 'cls', number[]>;
      const cases = casesOf<{ text: string; layers: Record<string, Pooled> }>(data);
      const texts = cases.map(({ text }) => text);
      for (const pooling of ['mean', 'max', 'cls'] as const) {
        for (const layer of [-1, -2]) {
          const name = `${pooling}${layer}-${form.replace(' ', '-')}`;
          const wishes = { model, name, pooling, poolingLayers: [layer], normalize: false, cased: false };
          const vectors = await encode(wishes, texts);
          const expected = cases.flatMap(({ layers }) => layers[String(layer)]?.[pooling] ?? []);
          expect(largestDifference(vectors, expected)).toBeLessThan(2e-5);
        }
      }
    },
  );
});

function need(path: string, skip: () => never): string {
  const found = join(DATA, path);
  if (!existsSync(found)) {
    console.warn(`skipped: ${found} is not here`);
    skip();
  }
  return found;
}

/** The cases of erf: the models' configurations say so. */
function casesOf<Case>(directory: string): Case[] {
  const content = readFileSync(join(directory, 'expected_outputs.json'), 'utf8');
  const { cases } = JSON.parse(content) as { cases: (Case & { gelu: string })[] };
  return cases.filter(({ gelu }) => gelu === 'erf');
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a).reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);
}
