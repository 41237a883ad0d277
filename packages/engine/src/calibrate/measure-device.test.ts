import { FarmError } from '@embedfarm/contract';
import { FakeDevice, type FakeDeviceOptions } from '@embedfarm/testkit/fake-device';
import { describe, expect, it } from 'vitest';
import { joinSequences } from '../batch/sequence-batch.ts';
import { measureDevice } from './measure-device.ts';

const BATCHES = [100, 200, 400].map((tokenBudget) => ({
  tokenBudget,
  batch: joinSequences([new Int32Array(tokenBudget)]),
}));

/** A device whose batches cost 100 ms and 1 ms a token by the clock that it turns. */
function clocked(options: FakeDeviceOptions = {}) {
  let nowMs = 0;
  const wait = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  const device = new FakeDevice({ msPerBatch: 100, msPerToken: 1, wait, ...options });
  const measure = (deadlineMs: number) =>
    measureDevice(
      { device, msPerToken: 2 },
      { batches: BATCHES, rounds: 3, goesOn: () => true, deadlineMs, now: () => nowMs },
    );
  return { device, measure };
}

describe('measureDevice', () => {
  it('gives the speed and the runs of each budget', async () => {
    const points = await clocked().measure(1e9);
    expect(points.map(({ tokenBudget, runs }) => [tokenBudget, runs])).toEqual([
      [100, 3],
      [200, 3],
      [400, 3],
    ]);
    expect(points.map(({ tokensPerSecond }) => Math.round(tokensPerSecond))).toEqual([500, 667, 800]);
  });

  it('takes the fastest run: what else the machine does only slows others', async () => {
    let nowMs = 0;
    let runs = 0;
    const wait = async (ms: number): Promise<void> => {
      // Every second pair has a slow one.
      nowMs += runs++ % 4 === 0 ? ms * 5 : ms;
    };
    const device = new FakeDevice({ msPerToken: 1, wait });
    const points = await measureDevice(
      { device, msPerToken: 1 },
      { batches: BATCHES, rounds: 3, goesOn: () => true, deadlineMs: 1e9, now: () => nowMs },
    );
    expect(points.map(({ tokensPerSecond }) => tokensPerSecond)).toEqual([1_000, 1_000, 1_000]);
  });

  it('begins nothing that would end after its deadline', async () => {
    // Two batches of 100 tokens at 2 ms each, as the warm-up had it.
    expect(await clocked().measure(399)).toEqual([]);
    // Two batches of 100 and two of 200 took 1,000 ms, two of 400 would take 1,200; two of 100 still fit.
    expect(await clocked().measure(2_000)).toMatchObject([
      { tokenBudget: 100, runs: 3 },
      { tokenBudget: 200, runs: 1 },
    ]);
  });

  it('leaves out a budget that fails, and does not try larger ones', async () => {
    const fault: FakeDeviceOptions['fault'] = ({ ids }) =>
      ids.length === 200 ? new FarmError('out_of_memory', 'full') : undefined;
    const { device, measure } = clocked({ fault });
    expect(await measure(1e9)).toMatchObject([{ tokenBudget: 100, runs: 3 }]);
    expect(device.batches.some(({ ids }) => ids.length === 400)).toBe(false);
  });

  it('has no point where the first budget fails', async () => {
    const { measure } = clocked({ fault: () => new FarmError('internal', 'broken') });
    expect(await measure(1e9)).toEqual([]);
  });
});
