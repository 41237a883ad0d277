import { describe, expect, it } from 'vitest';
import { deviceNames } from './device-names.ts';

describe('deviceNames', () => {
  it('names as many cores as asked for', async () => {
    expect(await deviceNames('cpu:3')).toEqual(['cpu/0', 'cpu/1', 'cpu/2']);
  });

  it('takes every core that the process may use by default', async () => {
    expect((await deviceNames('cpu')).length).toBeGreaterThanOrEqual(1);
  });

  it('names cards, and takes the first one where none is said', async () => {
    expect(await deviceNames('cuda:0,cuda:1')).toEqual(['cuda:0', 'cuda:1']);
    expect(await deviceNames('cuda')).toEqual(['cuda:0']);
    expect(await deviceNames('webgpu')).toEqual(['webgpu']);
  });

  it('takes a mix, in its order', async () => {
    expect(await deviceNames('cuda:1, webgpu,cpu:2')).toEqual(['cuda:1', 'webgpu', 'cpu/0', 'cpu/1']);
  });

  it.each(['auto', 'cpu:0', 'cpu:257', 'cpu:', 'gpu', '', 'cuda:', 'cuda:-1', 'cpu,,cuda', 'CPU', 'dml'])(
    'refuses %j and says what runs',
    async (devices) => {
      await expect(deviceNames(devices)).rejects.toThrow(/are not known: .*cpu:N/);
    },
  );

  it.each([
    ['cuda,cuda:0', /cuda:0 twice/],
    ['cpu:1,cpu:2', /cpu\/0 twice/],
    ['webgpu,webgpu', /webgpu twice/],
    ['webgpu:1', /VK_ICD_FILENAMES/],
  ])('refuses %s, and says why', async (devices, message) => {
    await expect(deviceNames(devices)).rejects.toThrow(message);
  });
});
