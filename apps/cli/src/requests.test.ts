import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, end } from './testing/command-line.ts';

const TEXTS = Array.from({ length: 600 }, (_, index) => `text ${index}`);

describe('requests from the command line', () => {
  let line: CommandLine;
  let ids: { plain: string; pairs: string };

  beforeAll(async () => {
    line = await CommandLine.open();
    await line.startWorker('--name', 'tiny');
    await writeFile(join(line.dir, 'texts.txt'), TEXTS.map((text) => `${text}\n`).join(''));
    await writeFile(
      join(line.dir, 'texts.jsonl'),
      ['"a string"', '["a", "pair"]', '{"text": "of an object", "id": 7}', '', '{"text": 7}']
        .map((json) => `${json}\n`)
        .join(''),
    );
    const plain = await line.run(['submit', 'texts.txt', '--label', 'many', '--wait']);
    const pairs = await line.run(['submit', 'texts.jsonl', '--output-dtype', 'float16', '--wait']);
    ids = { plain: plain.stdout.trim(), pairs: pairs.stdout.trim() };
  }, 300_000);
  afterAll(() => line.close());

  const vectors = async (texts: readonly string[], ...flags: string[]): Promise<number[][]> =>
    JSON.parse((await line.run(['encode', '--json', ...flags, ...texts])).stdout).embeddings;

  it('come back as JSON lines with the vectors of encode, whatever their number', async () => {
    const { stdout, exitCode } = await line.run(['result', ids.plain]);
    expect(exitCode).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row));
    expect(rows.map(({ index }) => index)).toEqual(TEXTS.map((_, index) => index));
    expect(Object.keys(rows[0])).toEqual(['index', 'embedding', 'tokens', 'truncated']);
    const picked = [0, 255, 256, 599];
    const expected = await vectors(picked.map((index) => TEXTS[index] ?? ''));
    expect(picked.map((index) => rows[index].embedding)).toEqual(expected);
  });

  it('come back as a NumPy array and as raw numbers', async () => {
    expect((await line.run(['result', ids.plain, '--out', 'vectors.npy'])).exitCode).toBe(0);
    expect((await line.run(['result', ids.plain, '--out', 'vectors.f32'])).exitCode).toBe(0);
    const npy = await readFile(join(line.dir, 'vectors.npy'));
    const raw = await readFile(join(line.dir, 'vectors.f32'));
    const [first = [], last = []] = await vectors([TEXTS[0] ?? '', TEXTS[599] ?? '']);
    expect(npy.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
    expect(npy.readUInt16LE(8)).toBe(118);
    expect(npy.subarray(10, 128).toString('latin1').trim()).toBe(
      `{'descr': '<f4', 'fortran_order': False, 'shape': (600, ${first.length}), }`,
    );
    expect(npy.subarray(128).equals(raw)).toBe(true);
    const numbers = new Float32Array(new Uint8Array(raw).buffer);
    expect(Array.from(numbers.subarray(0, first.length))).toEqual(first);
    expect(Array.from(numbers.subarray(-last.length))).toEqual(last);
  });

  it('take pairs and objects from JSON lines, and name the text that is none', async () => {
    const { stdout, stderr, exitCode } = await line.run(['result', ids.pairs]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('1 texts failed, first texts[3]: [invalid_argument] texts[3] must be a string');
    const rows = stdout
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row));
    expect(rows.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      'invalid_argument',
    ]);
    const [pair] = await vectors(['a ||| pair'], '--pairs', '--output-dtype', 'float16');
    expect(rows[1].embedding).toEqual(pair);

    const file = await line.run(['result', ids.pairs, '--out', 'vectors.npy']);
    expect(file.exitCode).toBe(1);
    const npy = await readFile(join(line.dir, 'vectors.npy'));
    expect(npy.toString('latin1')).toContain(`'descr': '<f2', 'fortran_order': False, 'shape': (4, 128)`);
    // The row of the text that failed is no number.
    expect(npy.readUInt16LE(npy.length - 2)).toBe(0x7e00);
  });

  it('are listed with their state, and as JSON', async () => {
    const { stdout } = await line.run(['requests', '--label', 'many']);
    expect(stdout).toMatch(
      new RegExp(`^${ids.plain}  many  completed  █+  600/600 texts .* ended \\d+ s ago\n$`),
    );
    const json = JSON.parse((await line.run(['requests', '--json', '--state', 'completed'])).stdout);
    expect(new Set(json.map(({ id }: { id: string }) => id))).toEqual(new Set(Object.values(ids)));
  });

  it('are cancelled, and keep what was done', async () => {
    const worker = await line.startWorker('--name', 'other');
    await end(worker);
    const submitted = await line.run(['submit', 'texts.txt', '--model', 'other']);
    const id = submitted.stdout.trim();
    const { stdout } = await line.run(['cancel', id]);
    expect(stdout).toBe(`${id} cancelled, 0 of 600 texts are done\n`);
    const { exitCode, stderr } = await line.run(['result', id, '--out', 'none.npy']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`request ${id} is cancelled`)]);
  });

  it('are deleted once they are written, where that is asked for', async () => {
    const id = (await line.run(['submit', '-', '--model', 'tiny'], { input: 'once\n' })).stdout.trim();
    expect((await line.run(['result', id, '--consume'])).stdout).toContain('"index":0');
    const again = await line.run(['result', id]);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('[result_expired]')]);
  });

  it('are given up at a fault, though stdin stays open', async () => {
    const child = line.start(['submit', '-', '--model', 'never-there']);
    child.stdin?.write('a\n');
    expect(await once(child, 'exit')).toEqual([1, null]);
  });

  it('are held to limits and weights that are set for the whole farm', async () => {
    const set = [
      'limits',
      '--texts',
      '1000',
      '--memory-share',
      '0.5',
      '--weight',
      'a=3',
      '--weight',
      'b=0.5',
    ];
    expect((await line.run(set)).stdout).toMatch(/^texts +\d+ +of 1000\n(.*\n)*memory .* 50 % of .*\nweight/);
    const json = JSON.parse((await line.run(['limits', '--json'])).stdout);
    expect(json).toMatchObject({ texts: 1000, bytes: null, memoryShare: 0.5, weights: { a: 3, b: 0.5 } });
    const many = 'text\n'.repeat(1_001);
    const refused = await line.run(['submit', '-', '--model', 'tiny'], { input: many });
    // Of a stream the farm takes as much as it has room for at a time.
    expect(refused.exitCode).toBe(0);
    await line.run(['limits', '--texts', '50000000', '--weight', 'a=1']);
    expect(JSON.parse((await line.run(['limits', '--json'])).stdout).weights).toEqual({ b: 0.5 });
  });

  it.each([
    [['submit', 'empty.txt'], 'empty.txt holds no texts'],
    [['submit', 'broken.jsonl'], 'broken.jsonl: line 1 is not JSON'],
    [['submit', 'nothing.jsonl'], 'nothing.jsonl: line 1 is an object without "text"'],
    [['result', 'never', '--out', 'x.npy'], 'there is no request never'],
    [['result', '?'], 'request id'],
    [['cancel', 'never'], 'there is no request never'],
    [['retry', 'never'], 'there is no request never'],
    [['limits', '--texts', '1'], 'at texts'],
    [['limits', '--weight', 'a=1000'], 'at weight'],
  ])('say what is wrong with %j', async (args, message) => {
    await writeFile(join(line.dir, 'empty.txt'), '');
    await writeFile(join(line.dir, 'broken.jsonl'), '{');
    await writeFile(join(line.dir, 'nothing.jsonl'), '{"texts": []}');
    const { exitCode, stderr } = await line.run(args);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});
