import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('../bin/embedfarm.js', import.meta.url));

let dir = '';
let redis: TestRedis;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'embedfarm-cli-'));
  redis = await openTestRedis();
}, 300_000);
afterEach(async () => {
  await Promise.all([...running].map(end));
});
afterAll(async () => {
  await redis.close();
  await rm(dir, { recursive: true, force: true });
});

/** Starts the command as a person would, in an empty folder and with the test's Redis. */
function start(args: readonly string[], variables: Record<string, string> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('EMBEDFARM_'));
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: dir,
    env: {
      ...Object.fromEntries(inherited),
      REDIS_URL: redis.url,
      EMBEDFARM_CACHE_DIR: join(dir, 'cache'),
      EMBEDFARM_DEVICES: 'cpu:1',
      ...variables,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return child.exitCode;
}

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. */
async function run(
  args: readonly string[],
  { input = '', variables = {} }: { input?: string | Uint8Array; variables?: Record<string, string> } = {},
): Promise<Outcome> {
  const child = start(args, variables);
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  child.stdin?.end(input);
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout: stdout(), stderr: stderr() };
}

/** All that was printed so far. */
function gather(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
  return () => text;
}

async function status(): Promise<{ models: { model: string }[]; workers: { pid: number; state: string }[] }> {
  return JSON.parse((await run(['status', '--json'])).stdout);
}

/** A worker that takes texts. */
async function startWorker(...args: readonly string[]): Promise<ChildProcess> {
  const worker = start(['worker', ...args]);
  await eventually(async () => (await status()).workers.some(({ pid }) => pid === worker.pid), {
    timeoutMs: 30_000,
    what: 'the worker in the farm',
  });
  return worker;
}

describe('wrong usage', () => {
  it.each([
    [[], 'Usage: embedfarm'],
    [['encoed'], "embedfarm: unknown command 'encoed'"],
    [['encode', '--fast'], "embedfarm: unknown option '--fast'"],
    [['submit'], "embedfarm: missing required argument 'file'"],
    [['worker', '--slots', '0'], 'at --slots'],
    [['worker', '--token-budget', 'big'], 'at --token-budget'],
    [['encode', '--model', 'a:b', 'x'], 'at --model'],
    [['encode', '--output-dtype', 'float64', 'x'], 'Allowed choices are float32, float16, int8, binary'],
    [['encode', '--dimensions', '0', 'x'], "option '--dimensions <n>' argument '0' is invalid"],
    [['dashboard', '--port', '70000'], 'at --port'],
    [['status', '--redis', 'localhost'], 'at --redis'],
  ])('%j exits 2 and says what is wrong', async (args, fault) => {
    const { exitCode, stderr } = await run(args);
    expect(stderr).toContain(fault);
    expect(exitCode).toBe(2);
  });

  it('names a variable that is out of bounds', async () => {
    const { exitCode, stderr } = await run(['worker'], { variables: { EMBEDFARM_SLOTS: '99' } });
    expect(stderr).toContain('EMBEDFARM_SLOTS');
    expect(exitCode).toBe(2);
  });

  it.each(['--help', '--version'])('%s exits 0', async (flag) => {
    expect((await run([flag])).exitCode).toBe(0);
  });
});

describe('failures', () => {
  const oneLine = /^embedfarm: \[[a-z_]+\] [^\n]+\n$/;

  it.each([
    [['encode', '--redis', 'redis://127.0.0.1:1', 'x'], 'redis_unavailable'],
    [['encode', '--model', 'never-there', 'x'], 'model_not_found'],
    [['encode'], 'texts is empty'],
    [['submit', 'no-such-file'], 'cannot read no-such-file'],
    [['worker', '--model', 'no-such-directory'], 'no-such-directory'],
    [['start', '--once', '--model', 'no-such-directory'], 'no-such-directory'],
  ])('%j exits 1 with one line', async (args, fault) => {
    const { exitCode, stderr } = await run(args);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(fault);
    expect(exitCode).toBe(1);
  });

  it('shows the stack where it is asked for', async () => {
    const variables = { EMBEDFARM_LOG_LEVEL: 'debug' };
    const { stderr } = await run(['submit', 'no-such-file'], { variables });
    expect(stderr).toContain('    at ');
  });
});

describe('a worker', () => {
  it('encodes what encode and submit send, and drains on SIGTERM', async () => {
    const worker = await startWorker('--name', 'tiny');

    const json = await run(['encode', '--json', 'First do it', 'then do it right']);
    expect(json.stderr).toBe('');
    const answer = JSON.parse(json.stdout);
    expect(Object.keys(answer)).toEqual(['model', 'dimensions', 'dtype', 'embeddings', 'receipts', 'timing']);
    expect(answer).toMatchObject({ model: 'tiny', receipts: [{ truncated: false }, { truncated: false }] });
    expect(answer.embeddings.map((row: number[]) => row.length)).toEqual([
      answer.dimensions,
      answer.dimensions,
    ]);
    expect(answer.embeddings.flat().every((value: number) => Math.fround(value) === value)).toBe(true);
    expect(Object.keys(answer.timing)).toEqual([
      'queueMs',
      'tokenizeMs',
      'batchWaitMs',
      'deviceMs',
      'totalMs',
    ]);

    // The same texts from stdin have the same bits.
    const piped = await run(['encode', '--json'], { input: 'First do it\r\nthen do it right' });
    expect(JSON.parse(piped.stdout).embeddings).toEqual(answer.embeddings);

    const wished = ['--output-dtype', 'int8', '--dimensions', '8', '--normalize', '--truncate', 'error'];
    const bytes = JSON.parse((await run(['encode', '--json', ...wished, 'First do it'])).stdout);
    expect(bytes).toMatchObject({ dtype: 'int8', dimensions: 8 });
    const kept: number[] = answer.embeddings[0].slice(0, 8);
    const scaled = kept.map((value) => Math.round((127 * value) / Math.hypot(...kept)) + 0);
    expect(bytes.embeddings).toEqual([scaled]);

    const pairs = JSON.parse((await run(['encode', '--json', '--pairs', 'do it ||| right', 'do it'])).stdout);
    const single = JSON.parse((await run(['encode', '--json', '--tokens', '--show-tokens', 'do it'])).stdout);
    expect(single.tokens).toEqual([['[CLS]', 'do', 'it', '[SEP]']]);
    expect(pairs.receipts.map(({ tokens }: { tokens: number }) => tokens)).toEqual([6, 4]);
    expect(single.embeddings[0]).toEqual(pairs.embeddings[1]);

    const prompted = JSON.parse((await run(['encode', '--json', '--prompt', 'First ', 'do it'])).stdout);
    expect(prompted.embeddings).toEqual([answer.embeddings[0]]);
    const noPrompt = await run(['encode', '--prompt-name', 'query', 'do it']);
    expect(noPrompt.stderr).toContain('promptName is "query", the prompts of the model "tiny" are: none');

    const table = await run(['encode', '--model', 'tiny', 'First do it']);
    expect(table.stdout).toContain(`1 text × ${answer.dimensions} dimensions, model tiny`);
    expect(table.stdout).toContain('carry no meaning');

    await writeFile(join(dir, 'texts.txt'), Array.from({ length: 600 }, (_, n) => `text ${n}\n`).join(''));
    const submitted = await run(['submit', 'texts.txt', '--label', 'many']);
    expect(submitted.stdout).toMatch(/^[A-Za-z0-9-]+\n$/);

    const whole = JSON.parse((await run(['status', '--json'])).stdout);
    expect(Object.keys(whole)).toEqual(['models', 'workers', 'devices', 'backlog', 'clients', 'admission']);
    expect(Object.keys(whole.backlog)).toEqual(['interactive', 'bulk']);
    expect(whole.models).toMatchObject([{ model: 'tiny', meaningful: false }]);
    // Looking at the farm does not make one a client of it.
    expect(whole.clients).toBe(0);
    expect((await run(['status'])).stdout).toContain('tiny');

    expect(await end(worker)).toBe(0);
    expect((await status()).workers).toEqual([]);
  });
});

describe('start', () => {
  it('--once encodes three sentences and leaves nothing running', async () => {
    const { exitCode, stdout, stderr } = await run(['start', '--once', '--workers', '2']);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('3 texts × ');
    expect(stdout).toContain('"then do it better"');
    expect(stdout).toMatch(/total \d+\.\d ms/);
    expect((await status()).workers).toEqual([]);
  });

  it('serves a page, starts a killed worker again, and takes all down with it', async () => {
    const farm = start(['start'], { EMBEDFARM_PORT: '0' });
    const stdout = gather(farm.stdout);
    await eventually(() => stdout().includes('Ctrl-C ends it.'), { timeoutMs: 30_000, what: 'the farm up' });
    expect(stdout()).toContain(`embedfarm encode --redis ${redis.url}`);
    const page = /Dashboard {2}(\S+)/.exec(stdout())?.[1] ?? '';
    expect((await fetch(`${page}/healthz`)).status).toBe(200);

    const { workers } = await status();
    expect(workers).toHaveLength(1);
    const pid = workers[0]?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    const again = await eventually(
      async () => (await status()).workers.find((worker) => worker.pid !== pid),
      {
        timeoutMs: 30_000,
        what: 'another worker',
      },
    );

    // The first signal lets all of it drain.
    expect(await end(farm)).toBe(0);
    expect(() => process.kill(again.pid, 0)).toThrow('ESRCH');
    await expect(fetch(page)).rejects.toThrow('fetch failed');
  });

  it('takes its workers along when it is killed', async () => {
    const farm = start(['start'], { EMBEDFARM_PORT: '0' });
    const stdout = gather(farm.stdout);
    await eventually(() => stdout().includes('Ctrl-C ends it.'), { timeoutMs: 30_000, what: 'the farm up' });
    const { workers } = await status();
    const alive = workers.map(({ pid }) => pid).filter(isAlive);
    expect(alive).not.toEqual([]);
    farm.kill('SIGKILL');
    await eventually(() => !alive.some(isAlive), { timeoutMs: 30_000, what: 'the end of its workers' });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('is a committed file that npm can link', async () => {
  const text = await readFile(COMMAND, 'utf8');
  expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
});
