import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMachineFacts } from './device/machine-facts.ts';
import type { DeviceChoice } from './device/open-devices.ts';
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
    expect(chosen).toEqual([{ names: ['cpu/0', 'cpu/1'], notes: [] }]);
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
});
