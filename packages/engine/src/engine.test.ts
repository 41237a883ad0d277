import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { decodeVectorBlock, encodeVectorBlock, type FloatBlock } from '@embedfarm/contract';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { writePlainOnnxModel, writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';

checkOpenHandles();

let directory: string;
let tiny: string;
let embedded: Engine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-'));
  tiny = await writeTinyModel(join(directory, 'tiny'), { maxSequenceLength: 64 });
  embedded = await Engine.open({ cacheDir: directory, devices: 'cpu:2' });
});
afterAll(async () => {
  await embedded.close();
  await rm(directory, { recursive: true });
});

/** Texts of 1 to `longest` words. */
const makeTexts = (count: number, longest: number): string[] =>
  Array.from({ length: count }, (_, index) => 'river '.repeat(1 + ((index * 7) % longest)));

const rowOf = ({ values, dimensions }: FloatBlock, row: number): Float32Array =>
  values.slice(row * dimensions, (row + 1) * dimensions);

const lengthOf = (row: Float32Array): number => Math.hypot(...row);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))),
    0,
  );
}

describe('Engine with the embedded model', () => {
  it('tells what it registers', () => {
    expect(embedded.registration).toMatchObject({
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      dimensions: 128,
      maxSequenceLength: 512,
      pooling: 'mean',
      normalize: true,
      meaningful: false,
    });
  });

  it('gives one vector of length 1 per text, in their order, and a block that crosses a wire', async () => {
    const texts = ['First do it', 'then do it right', 'then do it better', ''];
    const block = await embedded.encode(texts);
    expect(block.failures).toEqual([]);
    expect([...block.firstRows]).toEqual([0, 1, 2, 3, 4]);
    expect(block.tokens[3]).toBe(2);
    for (const [row, text] of texts.entries()) {
      expect(lengthOf(rowOf(block, row))).toBeCloseTo(1, 6);
      const alone = await embedded.encode([text]);
      expect(alone.values).toEqual(rowOf(block, row));
    }
    expect(decodeVectorBlock(encodeVectorBlock(block)).values).toEqual(block.values);
  });

  it('reads the list once: the caller may empty it, fill it, or leave a hole in it', async () => {
    const texts = makeTexts(100, 5);
    const expected = await embedded.encode(texts);
    const emptied = embedded.encode(texts);
    texts.length = 0;
    expect((await emptied).values).toEqual(expected.values);

    const grown = ['one'];
    const encoding = embedded.encode(grown);
    grown.push('two');
    expect((await encoding).tokens).toHaveLength(1);

    const sparse = ['one'];
    sparse[2] = 'three';
    expect((await embedded.encode(sparse)).failures).toMatchObject([
      { code: 'invalid_argument', texts: [1] },
    ]);
    for (const noList of ['one', null, undefined]) {
      await expect(embedded.encode(noList as unknown as string[])).rejects.toMatchObject({
        code: 'invalid_argument',
      });
    }
  });

  it('counts its work, and has none left', async () => {
    const before = embedded.counters;
    await embedded.encode(makeTexts(50, 20));
    const { batches, texts, tokens, slotTokens, deviceBusyMs } = embedded.counters;
    expect(texts - before.texts).toBe(50);
    expect(batches).toBeGreaterThan(before.batches);
    expect(slotTokens - before.slotTokens).toBeGreaterThanOrEqual(tokens - before.tokens);
    expect(deviceBusyMs).toBeGreaterThan(before.deviceBusyMs);
    expect(embedded.throughput().textsPerSecond).toBeGreaterThan(0);
    expect(embedded.waitingTexts).toBe(0);
    expect(embedded.backlogMs).toBe(0);
    expect(embedded.deviceReports().map(({ name }) => name)).toEqual(['cpu/0', 'cpu/1']);
  });
});

describe('Engine.encode', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open({ model: tiny, devices: 'cpu:1' });
  });
  afterAll(() => engine.close());

  it('leaves vectors as they are where normalize is false', async () => {
    const [raw, scaled] = [
      await engine.encode(['time'], { normalize: false }),
      await engine.encode(['time']),
    ];
    const length = lengthOf(raw.values);
    expect(Math.abs(length - 1)).toBeGreaterThan(0.01);
    expect(
      largestDifference(
        raw.values.map((value) => value / length),
        scaled.values,
      ),
    ).toBeLessThan(1e-6);
  });

  it('keeps the first dimensions and scales again', async () => {
    const whole = await engine.encode(['time', 'river'], { normalize: false });
    const short = await engine.encode(['time', 'river'], { dimensions: 8, normalize: false });
    expect(short.values).toHaveLength(16);
    expect(rowOf(short, 1)).toEqual(rowOf(whole, 1).slice(0, 8));
    expect(lengthOf((await engine.encode(['time'], { dimensions: 8 })).values)).toBeCloseTo(1, 6);
  });

  it('cuts a long text at its end or start, and says so', async () => {
    const long = `first ${'time '.repeat(100)}last`;
    const end = await engine.encode([long, 'time']);
    expect([...end.tokens]).toEqual([64, 3]);
    expect([...end.truncated]).toEqual([1, 0]);
    const start = await engine.encode([long], { truncate: 'start' });
    expect(start.values).not.toEqual(rowOf(end, 0));
  });

  it('fails a text that is too long or broken, and gives the others their vectors', async () => {
    const texts = ['time', 'time '.repeat(100), 'river', '\udc00', 5 as unknown as string];
    const block = await engine.encode(texts, { truncate: 'error' });
    expect([...block.firstRows]).toEqual([0, 1, 1, 2, 2, 2]);
    expect(block.failures.map(({ code, texts: indices }) => [code, ...indices])).toEqual([
      ['sequence_too_long', 1],
      ['invalid_argument', 3],
      ['invalid_argument', 4],
    ]);
    expect(rowOf(block, 1)).toEqual((await engine.encode(['river'])).values);
  });

  it('gives a block without rows where every text fails', async () => {
    const block = await engine.encode(['\ud800'], {});
    expect(block.values).toHaveLength(0);
    expect(block.failures).toHaveLength(1);
  });

  it('refuses an empty list, unknown options and more dimensions than the model has', async () => {
    const refused = { code: 'invalid_argument' };
    await expect(engine.encode([])).rejects.toMatchObject(refused);
    await expect(engine.encode(['a'], { dimensions: 33 })).rejects.toThrow(
      'dimensions is 33, the model has 32',
    );
    await expect(engine.encode(['a'], { pooling: 'cls' } as object)).rejects.toMatchObject(refused);
  });

  it('rejects an aborted call, before it begins and in the middle, and serves the others', async () => {
    const cancelled = { code: 'cancelled' };
    await expect(engine.encode(['a'], {}, { signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled);
    const abort = new AbortController();
    const gone = engine.encode(makeTexts(2_000, 60), {}, { signal: abort.signal, lane: 'bulk' });
    const stays = engine.encode(makeTexts(20, 20));
    await stays;
    abort.abort();
    await expect(gone).rejects.toMatchObject(cancelled);
    expect(engine.waitingTexts).toBe(0);
    await expect(engine.encode(['a'])).resolves.toMatchObject({ failures: [] });
  });
});

describe('Engine.open and close', () => {
  it('encodes what it was given before it closes, and takes nothing more', async () => {
    const engine = await Engine.open({ model: tiny, devices: 'cpu:2' });
    const calls = [
      engine.encode(makeTexts(300, 60)),
      engine.encode(makeTexts(300, 60), {}, { lane: 'bulk' }),
    ];
    const closing = [engine.close(), engine.close()];
    await expect(engine.encode(['late'])).rejects.toMatchObject({ code: 'no_worker' });
    for (const block of await Promise.all(calls)) expect(block.firstRows[300]).toBe(300);
    await Promise.all(closing);
  });

  it('leaves no thread behind, however often', async () => {
    const threads = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
    const before = threads();
    for (let round = 0; round < 2; round += 1) {
      const engine = await Engine.open({ model: tiny, devices: 'cpu:2' });
      await engine.encode(['time']);
      await engine.close();
    }
    expect(threads()).toBe(before);
  });

  it('replaces a device thread that ended, and runs what was on it again', async () => {
    const threads: Worker[] = [];
    const keep = (thread: Worker): number => threads.push(thread);
    process.on('worker', keep);
    const engine = await Engine.open({ model: tiny, devices: 'cpu:1' });
    const before = await engine.encode(['time', 'river']);
    await threads[0]?.terminate();
    const after = await engine.encode(['time', 'river']);
    process.off('worker', keep);
    expect(after.failures).toEqual([]);
    expect(after.values).toEqual(before.values);
    expect(engine.counters.devicesLost).toBe(1);
    expect(threads).toHaveLength(2);
    await engine.close();
  });

  it('refuses options out of range, unknown ones and devices that it does not run', async () => {
    const refused = { code: 'invalid_argument' };
    await expect(Engine.open({ model: tiny, slots: 0 })).rejects.toMatchObject(refused);
    await expect(Engine.open({ model: tiny, batchSize: 8 } as object)).rejects.toThrow(/batchSize/);
    await expect(Engine.open({ model: tiny, devices: 'tpu' })).rejects.toThrow(
      /"tpu" are not known: .*cpu:N/,
    );
    await expect(Engine.open({ model: join(directory, 'nowhere') })).rejects.toMatchObject(refused);
  });

  it('names a graph that it cannot run', async () => {
    const broken = await writePlainOnnxModel(join(directory, 'broken'));
    await writeFile(join(broken, 'model.onnx'), 'not a graph');
    await expect(Engine.open({ model: broken, devices: 'cpu:2' })).rejects.toThrow(
      /broken\/model\.onnx: .*rotobuf/,
    );
  });

  it('names a graph that does not fit the files beside it', async () => {
    const misfit = await writePlainOnnxModel(join(directory, 'misfit'));
    const config = JSON.parse(await readFile(join(misfit, 'config.json'), 'utf8')) as object;
    await writeFile(join(misfit, 'config.json'), JSON.stringify({ ...config, hidden_size: 64 }));
    await expect(Engine.open({ model: misfit, devices: 'cpu:1' })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(/misfit\/model\.onnx: .* got \[2, 32, 32\]/) as string,
    });
    const packed = { format: 1, graph: 'packed', layers: 2, meaningful: true };
    await writeFile(join(misfit, 'embedfarm.json'), JSON.stringify(packed));
    await expect(Engine.open({ model: misfit, devices: 'cpu:1' })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(/misfit\/model\.onnx: .*input_ids/) as string,
    });
  });

  it.each([1, 4])('refuses a packed graph of 2 heads whose configuration says %i', async (heads) => {
    const misfit = await writeTinyModel(join(directory, `heads-${heads}`));
    const config = JSON.parse(await readFile(join(misfit, 'config.json'), 'utf8')) as object;
    await writeFile(join(misfit, 'config.json'), JSON.stringify({ ...config, num_attention_heads: heads }));
    await expect(Engine.open({ model: misfit, devices: 'cpu:1' })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringContaining(join(misfit, 'model.onnx')) as string,
    });
  });

  it('says where the embedded model cannot be written', async () => {
    const cacheDir = join(directory, 'file', 'cache');
    await writeFile(join(directory, 'file'), '');
    await expect(Engine.open({ cacheDir })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringContaining(cacheDir) as string,
    });
  });
});
