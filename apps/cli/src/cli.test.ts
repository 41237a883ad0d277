import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@embedfarm/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND, CommandLine, end, gather } from './testing/command-line.ts';

let line: CommandLine;
beforeAll(async () => {
  line = await CommandLine.open();
}, 300_000);
afterEach(() => line.rest());
afterAll(() => line.close());

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
    const { exitCode, stderr } = await line.run(args);
    expect(stderr).toContain(fault);
    expect(exitCode).toBe(2);
  });

  it('names a variable that is out of bounds', async () => {
    const { exitCode, stderr } = await line.run(['worker'], { variables: { EMBEDFARM_SLOTS: '99' } });
    expect(stderr).toContain('EMBEDFARM_SLOTS');
    expect(exitCode).toBe(2);
  });

  it.each(['--help', '--version'])('%s exits 0', async (flag) => {
    expect((await line.run([flag])).exitCode).toBe(0);
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
    const { exitCode, stderr } = await line.run(args);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(fault);
    expect(exitCode).toBe(1);
  });

  it('shows the stack where it is asked for', async () => {
    const variables = { EMBEDFARM_LOG_LEVEL: 'debug' };
    const { stderr } = await line.run(['submit', 'no-such-file'], { variables });
    expect(stderr).toContain('    at ');
  });
});

describe('a worker', () => {
  it('encodes what encode and submit send, and drains on SIGTERM', async () => {
    const worker = await line.startWorker('--name', 'tiny');

    const json = await line.run(['encode', '--json', 'First do it', 'then do it right']);
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
    const piped = await line.run(['encode', '--json'], { input: 'First do it\r\nthen do it right' });
    expect(JSON.parse(piped.stdout).embeddings).toEqual(answer.embeddings);

    const wished = ['--output-dtype', 'int8', '--dimensions', '8', '--normalize', '--truncate', 'error'];
    const bytes = JSON.parse((await line.run(['encode', '--json', ...wished, 'First do it'])).stdout);
    expect(bytes).toMatchObject({ dtype: 'int8', dimensions: 8 });
    const kept: number[] = answer.embeddings[0].slice(0, 8);
    const scaled = kept.map((value) => Math.round((127 * value) / Math.hypot(...kept)) + 0);
    expect(bytes.embeddings).toEqual([scaled]);

    const pairs = JSON.parse(
      (await line.run(['encode', '--json', '--pairs', 'do it ||| right', 'do it'])).stdout,
    );
    const single = JSON.parse(
      (await line.run(['encode', '--json', '--tokens', '--show-tokens', 'do it'])).stdout,
    );
    expect(single.tokens).toEqual([['[CLS]', 'do', 'it', '[SEP]']]);
    expect(pairs.receipts.map(({ tokens }: { tokens: number }) => tokens)).toEqual([6, 4]);
    expect(single.embeddings[0]).toEqual(pairs.embeddings[1]);

    const prompted = JSON.parse((await line.run(['encode', '--json', '--prompt', 'First ', 'do it'])).stdout);
    expect(prompted.embeddings).toEqual([answer.embeddings[0]]);
    const noPrompt = await line.run(['encode', '--prompt-name', 'query', 'do it']);
    expect(noPrompt.stderr).toContain('promptName is "query", the prompts of the model "tiny" are: none');

    const table = await line.run(['encode', '--model', 'tiny', 'First do it']);
    expect(table.stdout).toContain(`1 text × ${answer.dimensions} dimensions, model tiny`);
    expect(table.stdout).toContain('carry no meaning');

    await writeFile(
      join(line.dir, 'texts.txt'),
      Array.from({ length: 600 }, (_, n) => `text ${n}\n`).join(''),
    );
    const submitted = await line.run(['submit', 'texts.txt', '--label', 'many']);
    expect(submitted.stdout).toMatch(/^[A-Za-z0-9-]+\n$/);

    const whole = JSON.parse((await line.run(['status', '--json'])).stdout);
    expect(Object.keys(whole)).toEqual([
      'models',
      'workers',
      'devices',
      'backlog',
      'clients',
      'admission',
      'cache',
      'openRequests',
      'webhooksDue',
    ]);
    expect(Object.keys(whole.backlog)).toEqual(['interactive', 'bulk']);
    expect(whole.models).toMatchObject([{ model: 'tiny', meaningful: false }]);
    // Looking at the farm does not make one a client of it.
    expect(whole.clients).toBe(0);
    expect((await line.run(['status'])).stdout).toContain('tiny');

    expect(await end(worker)).toBe(0);
    expect((await line.status()).workers).toEqual([]);
  });
});

describe('start', () => {
  it('--once encodes three sentences and leaves nothing running', async () => {
    const { exitCode, stdout, stderr } = await line.run(['start', '--once', '--workers', '2']);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('3 texts × ');
    expect(stdout).toContain('"then do it better"');
    expect(stdout).toMatch(/total \d+\.\d ms/);
    expect((await line.status()).workers).toEqual([]);
  });

  it('serves a page, starts a killed worker again, and takes all down with it', async () => {
    const farm = line.start(['start'], { EMBEDFARM_PORT: '0' });
    const stdout = gather(farm.stdout);
    await eventually(() => stdout().includes('Ctrl-C ends it.'), { timeoutMs: 30_000, what: 'the farm up' });
    expect(stdout()).toContain(`embedfarm encode --redis ${line.redis.url}`);
    const page = /Dashboard {2}(\S+)/.exec(stdout())?.[1] ?? '';
    expect((await fetch(`${page}/healthz`)).status).toBe(200);

    const { workers } = await line.status();
    expect(workers).toHaveLength(1);
    const pid = workers[0]?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    const again = await eventually(
      async () => (await line.status()).workers.find((worker) => worker.pid !== pid),
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
    const farm = line.start(['start'], { EMBEDFARM_PORT: '0' });
    const stdout = gather(farm.stdout);
    await eventually(() => stdout().includes('Ctrl-C ends it.'), { timeoutMs: 30_000, what: 'the farm up' });
    const { workers } = await line.status();
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
