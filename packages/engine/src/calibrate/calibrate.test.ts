import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { FakeDevice, type FakeDeviceOptions } from '@embedfarm/testkit/fake-device';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calibrate, gridFor } from './calibrate.ts';
import { CalibrationCache } from './calibration-cache.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calibrate-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Devices on a clock that only their work turns; `coreShare` of it is the process's own. */
function machine(devices: Record<string, FakeDeviceOptions>, coreShare = 1) {
  let nowMs = 0;
  const wait = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  const warm = Object.entries(devices).map(([name, options]) => ({
    device: new FakeDevice({ ...options, name, wait }),
    msPerToken: options.msPerToken ?? 0,
  }));
  const run = (facts: unknown = 1) =>
    calibrate(warm, new CalibrationCache(folder, facts), {
      graph: 'packed',
      maxSequenceLength: 512,
      tokenId: 0,
      now: () => nowMs,
      cpuMs: () => nowMs * coreShare,
      cores: 1,
    });
  const batches = (): number => warm.reduce((sum, { device }) => sum + device.batches.length, 0);
  return { run, batches, tookMs: () => nowMs };
}

describe('calibrate', () => {
  it('keeps the default of a core whose speed is flat', async () => {
    const { run } = machine({ 'cpu/0': { msPerToken: 0.01 } });
    const { tokenBudget, tokensPerSecond } = (await run()).get('cpu/0') ?? {};
    expect(tokenBudget).toBe(256);
    expect(tokensPerSecond).toBeCloseTo(100_000);
  });

  it('raises the budget of a card whose batches cost the same until they are full', async () => {
    const { run } = machine({ 'cuda:0': { msPerBatch: 1, msPerToken: 0.0001 } });
    expect((await run()).get('cuda:0')?.tokenBudget).toBe(32_768);
  });

  it('gives every card a budget of its own', async () => {
    const full: FakeDeviceOptions['fault'] = ({ ids }) =>
      ids.length > 3_000 ? new FarmError('out_of_memory', 'full') : undefined;
    const { run } = machine({
      'cuda:0': { msPerBatch: 1, msPerToken: 0.0001 },
      'cuda:1': { msPerBatch: 1, msPerToken: 0.0001, fault: full },
    });
    const budgets = [...(await run())].map(([name, { tokenBudget }]) => [name, tokenBudget]);
    expect(budgets).toEqual([
      ['cuda:0', 32_768],
      ['cuda:1', 2_048],
    ]);
  });

  it('measures once, and again where another fact counts or a device is new', async () => {
    const first = machine({ 'cpu/0': { msPerToken: 0.01 } });
    const calibration = await first.run();
    const again = machine({ 'cpu/0': { msPerToken: 0.05 } });
    expect(await again.run()).toEqual(calibration);
    expect(again.batches()).toBe(0);
    await again.run('another model');
    expect(again.batches()).toBeGreaterThan(0);
    const more = machine({ 'cpu/0': { msPerToken: 0.01 }, 'cpu/1': { msPerToken: 0.01 } });
    expect((await more.run()).size).toBe(2);
  });

  it('ends in 2 s, and leaves out a device that is too slow for that', async () => {
    const slow = machine({ 'cpu/0': { msPerToken: 1 }, webgpu: { msPerToken: 4 } });
    expect([...(await slow.run())].map(([name, { tokenBudget }]) => [name, tokenBudget])).toEqual([
      ['cpu/0', 256],
    ]);
    expect(slow.tookMs()).toBeLessThanOrEqual(2_000);
  });

  it('forgets what it measured on cores that others used', async () => {
    const devices = { 'cpu/0': { msPerToken: 0.01 }, 'cuda:0': { msPerToken: 0.001 } };
    const shared = machine(devices, 0.5);
    expect([...(await shared.run()).keys()]).toEqual(['cuda:0']);
    const alone = machine(devices);
    expect([...(await alone.run()).keys()]).toEqual(['cpu/0', 'cuda:0']);
  });

  it('leaves cores that others use after a round: the next start would measure them again', async () => {
    const shared = machine({ 'cpu/0': { msPerToken: 0.01 } }, 0.5);
    expect((await shared.run()).size).toBe(0);
    const alone = machine({ 'cpu/0': { msPerToken: 0.01 } });
    await alone.run();
    expect(shared.batches() * 3).toBe(alone.batches());
  });

  it('leaves out a device that fails', async () => {
    const { run } = machine({ webgpu: { fault: () => new FarmError('internal', 'broken') } });
    expect((await run()).size).toBe(0);
  });
});

describe('gridFor', () => {
  it('tries the default alone on a core that is too slow to compare budgets in time', () => {
    expect(gridFor('cpu', 0.1)).toEqual([128, 256, 384, 512]);
    expect(gridFor('cpu', 1)).toEqual([256]);
    expect(gridFor('webgpu', 1)).toContain(8_192);
  });
});
