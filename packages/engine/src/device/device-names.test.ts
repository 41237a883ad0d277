import { describe, expect, it } from 'vitest';
import { deviceNames } from './device-names.ts';

describe('deviceNames', () => {
  it('names as many cores as asked for', async () => {
    expect(await deviceNames('cpu:3')).toEqual(['cpu/0', 'cpu/1', 'cpu/2']);
  });

  it('takes every core that the process may use by default', async () => {
    expect((await deviceNames('cpu')).length).toBeGreaterThanOrEqual(1);
  });

  it.each(['cuda', 'cuda:0', 'webgpu', 'auto', 'cpu:0', 'cpu:257', 'cpu:', 'gpu'])(
    'refuses %s and says what runs',
    async (devices) => {
      await expect(deviceNames(devices)).rejects.toThrow(/cpu:N/);
    },
  );
});
