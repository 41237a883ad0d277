import { FakeDevice } from '@embedfarm/testkit/fake-device';
import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';
import { putTexts as put } from './recorded-call.fixture.ts';

/** Two cores, and both as one device; batches wait until they are released. */
function open(now: () => number = () => performance.now()) {
  const [first, second, together] = ['cpu/0', 'cpu/1', 'cpu/*'].map((name) => new FakeDevice({ name })) as [
    FakeDevice,
    FakeDevice,
    FakeDevice,
  ];
  const devices = { first, second, together };
  for (const device of Object.values(devices)) device.hold();
  const seat = { provider: 'cpu', slots: 2, tokenBudget: 256, msPerToken: 1 } as const;
  const batcher = new Batcher(
    [first, second].map((device) => ({ ...seat, device })),
    { windowTexts: 64, graph: 'packed', now, together: { ...seat, device: together, slots: 1 } },
  );
  const taken = (): number[] => Object.values(devices).map(({ batches }) => batches.length);
  const releaseAll = (): void => Object.values(devices).forEach((device) => device.releaseAll());
  return { ...devices, batcher, taken, releaseAll };
}

const repeat = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('Batcher with all cores as one device', () => {
  it('runs a lone text there', async () => {
    const { together, batcher, taken, releaseAll } = open();
    const call = put(batcher, [200]);
    await together.begun(1);
    releaseAll();
    await call.settled;
    expect(call.rows.get(0)).toEqual([200, 0, 0, 0]);
    expect(taken()).toEqual([0, 0, 1]);
  });

  it('runs so few tokens there as would not be split', async () => {
    const { together, batcher, releaseAll } = open();
    const call = put(batcher, [20, 20, 20]);
    await together.begun(1);
    expect(together.batches[0]?.lengths).toHaveLength(3);
    releaseAll();
    await call.settled;
  });

  it('splits more over the cores', async () => {
    const { first, second, batcher, taken, releaseAll } = open();
    const call = put(batcher, repeat(4, 40));
    await Promise.all([first.begun(1), second.begun(1)]);
    expect(taken()).toEqual([1, 1, 0]);
    releaseAll();
    await call.settled;
  });

  it('gives what comes meanwhile to the cores at once', async () => {
    const { first, second, together, batcher, taken, releaseAll } = open();
    const calls = [put(batcher, [20])];
    await together.begun(1);
    calls.push(put(batcher, [20]), put(batcher, repeat(3, 30)));
    await Promise.all([first.begun(1), second.begun(1)]);
    expect(taken()).toEqual([1, 1, 1]);
    releaseAll();
    await Promise.all(calls.map(({ settled }) => settled));
  });

  it('leaves a lone text to a free core while another one runs', async () => {
    const { first, second, together, batcher, taken, releaseAll } = open();
    const calls = [put(batcher, repeat(4, 40))];
    await Promise.all([first.begun(1), second.begun(1)]);
    first.release();
    calls.push(put(batcher, [20]));
    await first.begun(2);
    expect(taken()).toEqual([2, 1, 0]);
    expect(together.batches).toHaveLength(0);
    releaseAll();
    await Promise.all(calls.map(({ settled }) => settled));
  });

  it('does without where a core alone has proved faster', async () => {
    let nowMs = 0;
    const { first, second, together, batcher, taken } = open(() => nowMs);
    for (let call = 0; call < 20; call += 1) {
      const { settled } = put(batcher, [20]);
      const before = taken();
      await Promise.any([first, second, together].map((device, at) => device.begun((before[at] ?? 0) + 1)));
      const device = [first, second, together].find((_, at) => (taken()[at] ?? 0) > (before[at] ?? 0));
      nowMs += device === together ? 10 : 5;
      device?.release();
      await settled;
    }
    expect(together.batches).toHaveLength(3);
  });

  it('counts its work: every core is busy with it, and it is part of backlog and throughput', async () => {
    let nowMs = 0;
    const { together, batcher, releaseAll } = open(() => nowMs);
    const call = put(batcher, [100]);
    await together.begun(1);
    // 100 tokens at 1 ms each, on two cores.
    expect(batcher.backlogMs).toBe(50);
    nowMs = 40;
    releaseAll();
    await call.settled;
    expect(batcher.counters).toMatchObject({ batches: 1, tokens: 100, deviceBusyMs: 80 });
    expect(batcher.throughput().tokensPerSecond).toBeCloseTo(100);
    expect(batcher.deviceReports().map(({ name, busyShare }) => [name, busyShare])).toEqual([
      ['cpu/0', 0.04],
      ['cpu/1', 0.04],
    ]);
    expect(batcher.backlogMs).toBe(0);
  });

  it('runs a text again on a core when the device is lost under it', async () => {
    const { first, second, together, batcher, releaseAll } = open();
    const call = put(batcher, [20]);
    await together.begun(1);
    together.lose();
    await Promise.any([first.begun(1), second.begun(1)]);
    releaseAll();
    await call.settled;
    expect(call.failures.size).toBe(0);
    expect(batcher.counters.devicesLost).toBe(1);
  });

  it('does without it once it was lost: no text waits for it to be opened again', async () => {
    const { first, second, together, batcher, releaseAll } = open();
    const calls = [put(batcher, [20])];
    await together.begun(1);
    together.lose();
    await Promise.any([first.begun(1), second.begun(1)]);
    releaseAll();
    await calls[0]?.settled;
    for (let count = 0; count < 3; count += 1) {
      const call = put(batcher, [20]);
      await call.settled;
      calls.push(call);
    }
    expect(calls.map(({ failures }) => failures.size)).toEqual([0, 0, 0, 0]);
    expect(together.batches).toHaveLength(1);
    expect(batcher.counters).toMatchObject({ devicesLost: 1, batches: 4 });
    expect(batcher.backlogMs).toBe(0);
  });
});
