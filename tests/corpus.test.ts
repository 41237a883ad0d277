import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeRandomModel } from '@embedfarm/checkpoint/random-model';
import { Engine } from '@embedfarm/engine/engine';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { openWorker } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const EMBEDFARM = fileURLToPath(new URL('../apps/cli/bin/embedfarm.js', import.meta.url));
/** Real texts and vocabularies; they stand beside the checkout, where it has them. */
const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));
// EMBEDFARM_CORPUS=full takes minutes: 2,000 English and 500 Chinese lines.
const isFull = process.env['EMBEDFARM_CORPUS'] === 'full';

const corpora = [
  { corpus: 'mixed_en', vocabulary: 'bert-base-uncased', lowercase: true, lines: isFull ? 2_000 : 200 },
  { corpus: 'mixed_zh', vocabulary: 'bert-base-chinese', lowercase: false, lines: isFull ? 500 : 50 },
];

describe('a MiniLM-shaped model on real texts', () => {
  let redis: TestRedis;
  let folder: string;

  beforeAll(async () => {
    redis = await openTestRedis();
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-corpus-'));
  });
  afterAll(async () => {
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(corpora)(
    '`embedfarm encode` of $lines lines of $corpus has the bits of the engine in process',
    { timeout: 600_000 },
    async ({ corpus, vocabulary, lowercase, lines }) => {
      const vocabFile = join(DATA, 'vocabs', `${vocabulary}.vocab.txt`);
      const corpusFile = join(DATA, 'corpus', `${corpus}.jsonl`);
      if (!existsSync(vocabFile) || !existsSync(corpusFile)) {
        console.warn(`skipped: ${corpusFile} or ${vocabFile} is not here`);
        return;
      }
      const model = await writeRandomModel(join(folder, corpus), 'minilm', {
        vocabulary: { vocabFile },
        vocabularySize: readFileSync(vocabFile, 'utf8').trimEnd().split('\n').length,
        lowercase,
        seed: 7,
      });
      const texts = readTexts(corpusFile, lines);
      const vectors = await encodeByCommand(model, corpus, texts);

      const engine = await Engine.open({ model, devices: 'cpu:2' });
      const alone = await engine.encode(texts, {}, { lane: 'bulk' });
      await engine.close();
      expect(vectors).toHaveLength(lines);
      const different = vectors.flatMap((vector, index) =>
        hasBits(vector, alone.values.subarray(index * alone.dimensions, (index + 1) * alone.dimensions))
          ? []
          : [index],
      );
      expect(different).toEqual([]);
    },
  );

  /** Through two workers, so that batches are others than in process. */
  async function encodeByCommand(model: string, name: string, texts: readonly string[]): Promise<number[][]> {
    const options = { redis: redis.url, model, name, devices: 'cpu:1' };
    const workers = [await openWorker(options), await openWorker(options)];
    try {
      const lines = join(folder, `${name}.txt`);
      await writeFile(lines, `${texts.join('\n')}\n`);
      const command = `"${process.execPath}" "${EMBEDFARM}" encode --json --model ${name} < "${lines}"`;
      const env = { ...process.env, REDIS_URL: redis.url };
      const { stdout } = await run('sh', ['-c', command], { env, maxBuffer: 1e9 });
      return (JSON.parse(stdout) as { embeddings: number[][] }).embeddings;
    } finally {
      for (const worker of workers) await worker.close();
    }
  }
});

function readTexts(file: string, count: number): string[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, count);
  // The command takes one text a line.
  return lines.map((line) => (JSON.parse(line) as { text: string }).text.replaceAll(/[\r\n]+/g, ' '));
}

function hasBits(vector: readonly number[], expected: Float32Array): boolean {
  return Buffer.from(Float32Array.from(vector).buffer).equals(Buffer.from(expected.slice().buffer));
}
