import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { openWorker, type RunningWorker } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EMBEDFARM = join(ROOT, 'apps/cli/bin/embedfarm.js');
/** Pages whose programs and commands are run. */
const PAGES = ['README.md', 'docs/requests.md', 'docs/streams.md', 'docs/unit-tests.md'];
const README = await readPage('README.md');

describe.each(PAGES)('%s', async (page) => {
  const { programs, commands } = runnable(await readPage(page));
  let redis: TestRedis;
  let worker: RunningWorker;
  let folder: string;

  beforeAll(async () => {
    redis = await openTestRedis();
    worker = await openWorker({ redis: redis.url, devices: 'cpu:1' });
    folder = await mkdtemp(join(tmpdir(), 'embedfarm-readme-'));
    await writeFile(join(folder, 'lines.txt'), 'one line\nand another\n');
  });
  afterAll(async () => {
    await worker.close();
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('has programs to run', () => {
    expect(programs.length).toBeGreaterThan(0);
  });

  it.each(programs)('prints what it says: $printed', async ({ text, printed }) => {
    // Inside the repository, where a package of it can be imported by name.
    const scratch = join(ROOT, '.embedfarm', `readme-${process.pid}`);
    await mkdir(scratch, { recursive: true });
    try {
      const file = join(scratch, 'program.mjs');
      await writeFile(file, text);
      const { stdout } = await run(process.execPath, [file], {
        env: { ...process.env, REDIS_URL: redis.url },
      });
      expect(stdout).toBe(printed);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });

  it.each(commands)('`%s` works', async (command) => {
    const line = command
      .replace(/ ID\b/, ` ${await anyRequest(redis.url)}`)
      .replaceAll('npx embedfarm', `"${process.execPath}" "${EMBEDFARM}"`);
    const running = run('sh', ['-c', line], { cwd: folder, env: { ...process.env, REDIS_URL: redis.url } });
    await expect(running).resolves.toBeDefined();
  });
});

describe('the README', () => {
  it('shows only numbers that stand in the output of the benchmark', async () => {
    const output = cellsOf(await readFile(join(ROOT, 'docs/benchmarks/farm.md'), 'utf8'));
    const shown = [...cellsOf(README)].filter((row) => row.includes('|yes') || row.includes('|**no**'));
    expect(shown.length).toBeGreaterThan(8);
    for (const row of shown) expect(output).toContain(row);
  });

  it('links only to files that are there, and shows only pictures that are', async () => {
    const named = [...README.matchAll(/(?:\]\(|src(?:set)?=")(?!http)([^)"#]+)[)"]/g)];
    const links = named.map(([, link]) => link ?? '');
    expect(links).toContain('docs/images/dashboard-light.webp');
    for (const link of links) await expect(readable(join(ROOT, link)), link).resolves.toBe(true);
  });
});

function readPage(page: string): Promise<string> {
  return readFile(join(ROOT, page), 'utf8');
}

/** The programs of a page with what they print, and the commands that end by themselves and need nothing but a farm. */
function runnable(page: string): {
  programs: { text: string; printed: string | undefined }[];
  commands: string[];
} {
  const blocks = [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
  const programs = blocks.flatMap(({ language, text }, at) => {
    const next = blocks[at + 1];
    return language === 'ts' ? [{ text, printed: next?.language === 'text' ? next.text : undefined }] : [];
  });
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, ''))
    .filter((line) => /npx embedfarm (encode|submit|status|requests|result|cancel)/.test(line));
  return { programs, commands };
}

/** A request that has ended. */
async function anyRequest(redis: string): Promise<string> {
  const farm = await EmbeddingFarm.connect({ redis });
  try {
    const request = await farm.submit(['a text']);
    await request.wait();
    return request.id;
  } finally {
    await farm.close();
  }
}

/** Table rows without the formatter's spaces. */
function cellsOf(markdown: string): Set<string> {
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
  return new Set(
    rows.map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim())
        .join('|'),
    ),
  );
}

async function readable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
