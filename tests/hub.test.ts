import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBertConfig } from '@embedfarm/checkpoint/bert-config';
import { Engine } from '@embedfarm/engine/engine';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { safetensorsOf } from '@embedfarm/testkit/safetensors-of';
import { tinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { HubServer, MODEL, send } from '../packages/checkpoint/src/hub/hub-server.fixture.ts';

const EMBEDFARM = fileURLToPath(new URL('../apps/cli/bin/embedfarm.js', import.meta.url));
const TOKEN = 'hf_of_nobody';

describe('A model by its id on a hub', () => {
  let folder: string;
  let redis: TestRedis;
  let hub: HubServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-hub-'));
    redis = await openTestRedis();
    const { config, weights, vocabulary } = tinyModel();
    hub = await HubServer.open({
      'README.md': 'a model for tests',
      'config.json': JSON.stringify(formatBertConfig(config)),
      'vocab.txt': vocabulary.join('\n'),
      'model.safetensors': safetensorsOf(weights),
    });
  });
  afterAll(async () => {
    await hub.close();
    await redis.close();
    await rm(folder, { recursive: true });
  });

  /** The command in an empty folder, with this Redis, this hub and a cache of this name. */
  function start(
    args: readonly string[],
    cache: string,
    variables: Record<string, string> = {},
  ): ChildProcess {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(EMBEDFARM|HF)_/.test(name));
    return spawn(process.execPath, [EMBEDFARM, ...args], {
      cwd: folder,
      env: {
        ...Object.fromEntries(inherited),
        REDIS_URL: redis.url,
        EMBEDFARM_CACHE_DIR: join(folder, cache),
        EMBEDFARM_DEVICES: 'cpu:1',
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async function run(
    ...given: Parameters<typeof start>
  ): Promise<{ exitCode: number | null; output: string }> {
    const child = start(...given);
    const output = gather(child);
    await once(child, 'close');
    return { exitCode: child.exitCode, output: output() };
  }

  it('is a source of convert, downloaded once, and cut to a length', async () => {
    const flags = ['--hub-url', hub.url, '--max-seq-len', '20'];
    const { exitCode, output } = await run(['convert', MODEL, 'out', ...flags], 'convert', {
      HF_TOKEN: TOKEN,
    });
    expect(output).toContain(`embedfarm: downloading ${MODEL}, 1 MB\n`);
    expect(output).toContain('from safetensors: 2 blocks, mean of block 2');
    expect(output).not.toContain(TOKEN);
    expect(exitCode).toBe(0);
    const limits = await readFile(join(folder, 'out', 'sentence_bert_config.json'), 'utf8');
    expect(JSON.parse(limits)).toMatchObject({ max_seq_length: 20 });
    const tokens = hub.seen.map(({ isStore, headers }) => [isStore, headers.authorization]);
    expect(tokens).toContainEqual([false, `Bearer ${TOKEN}`]);
    expect(tokens).toContainEqual([true, undefined]);
    expect(tokens).not.toContainEqual([true, `Bearer ${TOKEN}`]);

    hub.seen.length = 0;
    const again = await run(['convert', MODEL, 'more', '--offline', '--max-seq-len', '10000'], 'convert');
    expect(again.output).toMatch(
      /^embedfarm: \[invalid_argument\] maxSequenceLength is 10000, the model takes \d+ tokens\n$/,
    );
    expect(again.exitCode).toBe(1);
    expect(hub.seen).toEqual([]);
  });

  it('is served under its name, and offline the next time, with the same bits', async () => {
    const farm = await EmbeddingFarm.connect({ redis: redis.url });
    onTestFinished(() => farm.close());
    const vectors: number[][] = [];
    for (const flag of [['--hub-url', hub.url], ['--offline']]) {
      const worker = start(['worker', '--model', `${MODEL}@v1`, ...flag], 'worker');
      const output = gather(worker);
      await eventually(async () => (await farm.status()).workers.length === 1, {
        timeoutMs: 30_000,
        what: 'the worker in the farm',
      });
      const embeddings = await farm.encode(['the river'], { model: 'tiny-bert' });
      vectors.push([...embeddings.at(0)]);
      expect(/"percent":100,.*downloading the model, once/.test(output())).toBe(flag[0] === '--hub-url');
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    }
    expect(vectors[0]).toHaveLength(32);
    expect(vectors[1]).toEqual(vectors[0]);
    expect(await readdir(join(folder, 'worker', 'converted'))).toEqual([
      expect.stringMatching(/^tiny-bert-[0-9a-f]{16}$/),
    ]);
  });

  it('is downloaded once by start, for all its workers', async () => {
    hub.seen.length = 0;
    const args = ['start', '--once', '--workers', '2', '--model', MODEL, '--hub-url', hub.url];
    const { exitCode, output } = await run(args, 'start');
    expect(output).toContain('model tiny-bert');
    expect(exitCode).toBe(0);
    expect(hub.requestsFor('model.safetensors')).toHaveLength(1);
    expect(hub.seen.filter(({ path }) => path.startsWith('/api/'))).toHaveLength(1);
  });

  it('is asked for once where both of its forms are made: int8, and the float32 that it is compared with', async () => {
    const cacheDir = join(folder, 'int8');
    const options = { model: MODEL, hubUrl: hub.url, dtype: 'int8', devices: 'cpu:1', cacheDir } as const;
    await (await Engine.open(options)).close();
    const [converted = ''] = await readdir(join(cacheDir, 'converted'));
    // As if it had never been compared.
    await rm(join(cacheDir, 'converted', converted, 'int8-check.json'));
    hub.seen.length = 0;
    await (await Engine.open(options)).close();
    expect(await readdir(join(cacheDir, 'converted'))).toHaveLength(2);
    expect(hub.seen.filter(({ path }) => path.startsWith('/api/'))).toHaveLength(1);
  });

  it.each<[string[], RegExp]>([
    [
      ['worker', '--model', 'no/where'],
      / does not have no\/where@main; and there is no directory no\/where$/,
    ],
    [['worker', '--model', `${MODEL}@v9`], / has no such revision: someone\/tiny-bert@v9; /],
    [['worker', '--model', MODEL, '--offline'], / someone\/tiny-bert@main is not in the cache /],
    [
      ['start', '--once', '--model', 'nowhere'],
      / nowhere is neither a directory nor the id of a model on the hub /,
    ],
    [['convert', 'no/where', 'out2'], / does not have no\/where@main/],
  ])('that is not there ends %j with one line', async (args, fault) => {
    const { exitCode, output } = await run([...args, '--hub-url', hub.url], 'empty');
    expect(output.trim()).toMatch(fault);
    expect(output.trim()).toMatch(/^embedfarm: \[invalid_argument\] [^\n]+$/);
    expect(exitCode).toBe(1);
  });

  it('that is gated says which token is wanted', async () => {
    hub.answer('/api/', (_, response) => send(response, 401, { 'x-error-code': 'GatedRepo' }));
    const { output } = await run(['worker', '--model', MODEL], 'empty', { HF_ENDPOINT: hub.url });
    expect(output).toContain('it wants a token, in HF_TOKEN or EMBEDFARM_HUB_TOKEN');
  });
});

/** All that it has printed so far. */
function gather(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
  }
  return () => text;
}
