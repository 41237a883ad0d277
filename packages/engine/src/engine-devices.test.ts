import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowedCores } from './device/allowed-cores.ts';
import { readMachineFacts } from './device/machine-facts.ts';
import type { DeviceChoice } from './device/open-devices.ts';
import { TOGETHER } from './device/together-threads.ts';
import { Engine } from './engine.ts';

checkOpenHandles();

let directory: string;
let tiny: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-devices-'));
  tiny = await writeTinyModel(join(directory, 'tiny'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('The devices of an Engine', () => {
  it('are told once they run', async () => {
    const chosen: DeviceChoice[] = [];
    const options = { model: tiny, devices: 'cpu:2' };
    const engine = await Engine.open(options, { onDevices: (choice) => chosen.push(choice) });
    await engine.close();
    // With one core there is nothing to put together.
    const together = (await allowedCores()) > 1 ? [TOGETHER] : [];
    expect(chosen).toEqual([{ names: ['cpu/0', 'cpu/1', ...together], notes: [] }]);
  });

  it('are closed again where whoever is told of them throws', async () => {
    const onDevices = (): void => {
      throw new Error('not these');
    };
    // checkOpenHandles sees the threads that are left.
    await expect(Engine.open({ model: tiny, devices: 'cpu:2' }, { onDevices })).rejects.toThrow('not these');
  });

  it('are cores alone where low latency is switched off', async () => {
    const chosen: DeviceChoice[] = [];
    const options = { model: tiny, devices: 'cpu:2', lowLatency: false };
    await (await Engine.open(options, { onDevices: (choice) => chosen.push(choice) })).close();
    expect(chosen).toEqual([{ names: ['cpu/0', 'cpu/1'], notes: [] }]);
  });

  it('give a text the same bits on one core and on all of them', async () => {
    const texts = Array.from({ length: 24 }, (_, at) => 'the river of time '.repeat(1 + at));
    const core = await Engine.open({ model: tiny, devices: 'cpu:1' });
    const expected = await core.encode(texts);
    await core.close();
    const engine = await Engine.open({ model: tiny, devices: 'cpu:2' });
    for (const [at, text] of texts.entries()) {
      const { values } = await engine.encode([text]);
      expect(values).toEqual(expected.values.slice(at * values.length, (at + 1) * values.length));
    }
    await engine.close();
  });

  it('fail with what is missing and how it is installed, and blame no model for it', async ({ skip }) => {
    const { hasCudaProvider } = await readMachineFacts();
    skip(hasCudaProvider, 'the CUDA provider is installed here');
    await expect(Engine.open({ model: tiny, devices: 'cuda:1,cpu:1' })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringMatching(
        /^devices: cuda:1 .*(npm rebuild onnxruntime-node|Linux on x64)/,
      ) as string,
    });
  });

  it('are the cores where auto finds nothing else, and it says why', async ({ skip }) => {
    const { cudaCards, hasCudaProvider } = await readMachineFacts();
    skip(process.platform !== 'linux', 'only the Vulkan loader can be told to find no adapter');
    skip(cudaCards > 0 && hasCudaProvider, 'CUDA runs here');
    // The runtime reads the variable of the process itself when it first looks for an adapter.
    process.env['VK_ICD_FILENAMES'] = join(directory, 'no-driver.json');
    const lacks = { code: 'invalid_argument', detail: expect.stringContaining('libvulkan1') as string };
    await expect(Engine.open({ model: tiny, devices: 'webgpu' })).rejects.toMatchObject(lacks);
    const chosen: DeviceChoice[] = [];
    const options = { model: tiny, devices: 'auto' };
    const engine = await Engine.open(options, { onDevices: (choice) => chosen.push(choice) });
    expect((await engine.encode(['time'])).failures).toEqual([]);
    await engine.close();
    expect(chosen[0]?.names[0]).toBe('cpu/0');
    expect(chosen[0]?.notes.map((note) => note.split(':')[0])).toEqual(['cuda', 'webgpu']);
  });

  it('are measured where that is asked for, and keep their vectors', async () => {
    const cacheDir = join(directory, 'cache');
    const options = { model: tiny, devices: 'cpu:2', cacheDir };
    const plain = await Engine.open(options);
    const measured = await Engine.open({ ...options, calibrate: true });
    const said = await Engine.open({ ...options, calibrate: true, tokenBudget: 64 });
    expect(plain.deviceReports()[0]).toMatchObject({ provider: 'cpu', slots: 2, tokenBudget: 256 });
    expect(plain.deviceReports()[0]).not.toHaveProperty('calibratedTokensPerSecond');
    const [first, second] = measured.deviceReports();
    // On a machine that others use nothing is measured, and the default stands.
    expect([128, 256, 384, 512]).toContain(first?.tokenBudget);
    expect(second?.tokenBudget).toBe(first?.tokenBudget);
    expect(said.deviceReports()[0]?.tokenBudget).toBe(64);
    const texts = ['time', 'the river of time', 'river '.repeat(40)];
    expect((await measured.encode(texts)).values).toEqual((await plain.encode(texts)).values);
    await Promise.all([plain, measured, said].map((engine) => engine.close()));
  });
});
