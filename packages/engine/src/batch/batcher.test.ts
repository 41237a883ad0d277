import { FarmError } from '@embedfarm/contract';
import { FakeDevice, type FakeDeviceOptions } from '@embedfarm/testkit/fake-device';
import { describe, expect, it } from 'vitest';
import { ReplaceableDevice } from '../device/replaceable-device.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';
import { putTexts as put } from './recorded-call.fixture.ts';
import type { SeatOptions } from './seat.ts';

const POISON = 666;

function open(
  devices: FakeDevice[],
  { slots = 2, msPerToken = 1, now = () => performance.now() }: Partial<SeatOptions & BatcherOptions> = {},
  cards: FakeDevice[] = [],
): Batcher {
  const seat = { provider: 'cpu', slots, tokenBudget: 256, msPerToken } as const;
  const seats = [
    ...devices.map((device) => ({ ...seat, device })),
    // Ten times as fast.
    ...cards.map((device) => ({
      ...seat,
      device,
      provider: 'cuda' as const,
      tokenBudget: 4_096,
      msPerToken: msPerToken / 10,
    })),
  ];
  return new Batcher(seats, { windowTexts: 64, graph: 'packed', now });
}

const held = (options: FakeDeviceOptions = {}): FakeDevice => {
  const device = new FakeDevice(options);
  device.hold();
  return device;
};

const poisoned = (code: FarmError['code']): FakeDeviceOptions => ({
  fault: ({ ids }) => (ids.includes(POISON) ? new FarmError(code, 'poison') : undefined),
});

const repeat = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('Batcher', () => {
  it('gives every text its own row, whatever the batches were', async () => {
    const batcher = open([new FakeDevice(), new FakeDevice()]);
    const lengths = Array.from({ length: 300 }, (_, index) => 2 + ((index * 31) % 90));
    const calls = [put(batcher, lengths), put(batcher, lengths, 'bulk')];
    for (const call of calls) {
      await call.settled;
      for (const [index, length] of lengths.entries()) {
        expect(call.rows.get(index)).toEqual([length, length * index, index, index]);
      }
    }
    expect(batcher.counters.texts).toBe(600);
    expect(batcher.waitingTexts).toBe(0);
    expect(batcher.backlogMs).toBe(0);
  });

  it('sends the first text at once, without waiting for company', async () => {
    const device = held();
    const call = put(open([device]), [5]);
    await device.begun(1);
    device.release();
    await call.settled;
    expect(call.rows.get(0)).toEqual([5, 0, 0, 0]);
  });

  it('splits little work evenly over idle devices', async () => {
    const devices = [held(), held()];
    put(open(devices), repeat(8, 30));
    await Promise.all(devices.map((device) => device.begun(1)));
    expect(devices.map(({ batches }) => batches[0]?.lengths.length)).toEqual([4, 4]);
  });

  it('gives a card its turn before a core, and each what it takes at once', async () => {
    const [core, card] = [held(), held()];
    const batcher = open([core], {}, [card]);
    put(batcher, [30]);
    put(batcher, repeat(40, 100));
    await Promise.all([core.begun(1), card.begun(1)]);
    expect(card.batches.map(({ ids }) => ids.length)).toEqual([30]);
    expect(core.batches.map(({ ids }) => ids.length)).toEqual([200]);
    // 30 + 4,000 tokens, at 1 + 10 tokens a ms.
    expect(batcher.backlogMs).toBeCloseTo(4_030 / 11);
    expect(batcher.deviceReports().map(({ provider, tokenBudget }) => [provider, tokenBudget])).toEqual([
      ['cpu', 256],
      ['cuda', 4_096],
    ]);
    card.releaseAll();
    core.releaseAll();
  });

  it('keeps a small batch in the line while the device runs, and sends it with later company', async () => {
    const device = held();
    const batcher = open([device]);
    put(batcher, [200]);
    put(batcher, [20, 20]);
    expect(batcher.waitingTexts).toBe(2);
    const last = put(batcher, [20]);
    device.releaseAll();
    await last.settled;
    expect(device.batches.map(({ lengths }) => [...lengths])).toEqual([[200], [20, 20, 20]]);
  });

  it('makes the next batch ready once it holds half a budget, on the device that will be free first', async () => {
    const devices = [held(), held()];
    let nowMs = 0;
    const batcher = open(devices, { now: () => (nowMs += 1) });
    put(batcher, [250]);
    put(batcher, [250]);
    put(batcher, [100]);
    expect(batcher.waitingTexts).toBe(1);
    put(batcher, [100]);
    expect(batcher.waitingTexts).toBe(0);
    await devices[0]?.begun(1);
    devices[0]?.release();
    await devices[0]?.begun(2);
    expect(devices[1]?.batches).toHaveLength(1);
  });

  it('makes no bulk batch ready beside a running one while interactive texts come', async () => {
    const device = held();
    let nowMs = 0;
    const batcher = open([device], { now: () => nowMs });
    const first = put(batcher, [10]);
    put(batcher, [250], 'bulk');
    expect(batcher.waitingTexts).toBe(1);
    put(batcher, [70, 70]);
    expect(batcher.waitingTexts).toBe(1);
    await device.begun(1);
    device.release();
    await first.settled;
    nowMs += 999;
    put(batcher, [250], 'bulk');
    expect(batcher.waitingTexts).toBe(2);
    nowMs += 1;
    const last = put(batcher, [250], 'bulk');
    expect(batcher.waitingTexts).toBe(2);
    device.releaseAll();
    await last.settled;
  });

  it('puts interactive texts before bulk ones that came earlier', async () => {
    const device = held();
    const batcher = open([device], { slots: 1 });
    put(batcher, [250]);
    const bulk = put(batcher, [200, 200], 'bulk');
    const interactive = put(batcher, [210]);
    device.releaseAll();
    await Promise.all([bulk.settled, interactive.settled]);
    expect(device.batches.map(({ lengths }) => lengths[0])).toEqual([250, 210, 200, 200]);
  });

  it('lets the texts of an aborted call leave before they cost a device anything', async () => {
    const device = held();
    const batcher = open([device]);
    const running = put(batcher, [200]);
    const gone = put(batcher, repeat(50, 100), 'bulk', 7);
    const stays = put(batcher, [100]);
    gone.isSettled = true;
    batcher.remove(gone);
    device.releaseAll();
    await Promise.all([running.settled, stays.settled]);
    expect(batcher.waitingTexts).toBe(0);
    // The batch that was ready on the device may hold some of them.
    expect(device.batches.slice(2).some(({ ids }) => ids.includes(7))).toBe(false);
  });

  it('divides a batch that fails until only the culprit fails', async () => {
    const batcher = open([new FakeDevice(poisoned('internal'))]);
    const good = put(batcher, repeat(20, 10), 'bulk');
    const bad = put(batcher, [10], 'bulk', POISON);
    const others = put(batcher, repeat(20, 10), 'bulk');
    await Promise.all([good.settled, bad.settled, others.settled]);
    expect(good.failures.size + others.failures.size).toBe(0);
    expect(bad.failures.get(0)).toMatchObject({ code: 'internal' });
  });

  it('halves the budget of a device that runs out of memory, and tries again with less', async () => {
    const full: FakeDeviceOptions = {
      fault: ({ ids }) => (ids.length > 100 ? new FarmError('out_of_memory', 'full') : undefined),
    };
    const batcher = open([new FakeDevice(full)]);
    const call = put(batcher, repeat(40, 20), 'bulk');
    await call.settled;
    expect(call.failures.size).toBe(0);
    expect(batcher.deviceReports()[0]?.tokenBudget).toBeLessThanOrEqual(128);
  });

  it('fails a single text that does not fit into memory', async () => {
    const batcher = open([new FakeDevice(poisoned('out_of_memory'))]);
    const call = put(batcher, [10], 'bulk', POISON);
    await call.settled;
    expect(call.failures.get(0)).toMatchObject({ code: 'out_of_memory' });
  });

  it('runs the batches of a lost device again', async () => {
    const first = held();
    const second = new FakeDevice();
    const opened = [first, second];
    const device = await ReplaceableDevice.open(async () => opened.shift() ?? new FakeDevice());
    const batcher = open([device as unknown as FakeDevice]);
    const call = put(batcher, repeat(60, 20), 'bulk');
    await first.begun(1);
    first.lose();
    await call.settled;
    expect(call.failures.size).toBe(0);
    expect(call.rows.size).toBe(60);
    expect(batcher.counters.devicesLost).toBe(1);
  });

  it('fails only the text that loses three devices, and none that shared a batch or device with it', async () => {
    const deadly = (): Promise<FakeDevice> => Promise.resolve(new FakeDevice(poisoned('device_lost')));
    const devices = await Promise.all([ReplaceableDevice.open(deadly), ReplaceableDevice.open(deadly)]);
    const batcher = open(devices as unknown as FakeDevice[]);
    const good = put(batcher, repeat(30, 20), 'bulk');
    const bad = put(batcher, [20], 'interactive', POISON);
    const others = put(batcher, repeat(30, 20), 'bulk');
    await Promise.all([good.settled, bad.settled, others.settled]);
    expect(good.failures.size + others.failures.size).toBe(0);
    expect(bad.failures.get(0)).toMatchObject({ code: 'device_lost' });
    expect(batcher.counters.devicesLost).toBe(3);
  });

  it('fails texts with device_lost when the device cannot be opened again', async () => {
    const first = held();
    const opened = [first];
    const device = await ReplaceableDevice.open(async () => {
      const next = opened.shift();
      if (next) return next;
      throw new FarmError('invalid_argument', 'the model file is gone');
    });
    const call = put(open([device as unknown as FakeDevice]), [20, 20], 'bulk');
    await first.begun(1);
    first.lose();
    await call.settled;
    expect(call.failures.get(1)?.message).toContain('the model file is gone');
    expect(call.failures.get(1)).toMatchObject({ code: 'device_lost' });
  });

  it('tells its listeners after every batch, until they leave', async () => {
    const device = new FakeDevice();
    const batcher = open([device]);
    let heard = 0;
    const leave = batcher.onChange(() => {
      heard += 1;
    });
    const told = new Promise<void>((resolve) => batcher.onChange(resolve));
    await put(batcher, [10]).settled;
    await told;
    expect(heard).toBe(1);
    leave();
    const toldAgain = new Promise<void>((resolve) => batcher.onChange(resolve));
    await put(batcher, [10]).settled;
    await toldAgain;
    expect(heard).toBe(1);
  });

  it('estimates the backlog from what batches took', async () => {
    let nowMs = 0;
    const device = held({ msPerToken: 2, wait: async (ms) => (nowMs += ms) });
    const batcher = open([device], { msPerToken: 2, now: () => nowMs });
    const call = put(batcher, [100]);
    put(batcher, [50]);
    expect(batcher.backlogMs).toBe(300);
    await device.begun(1);
    device.release();
    await call.settled;
    expect(batcher.backlogMs).toBeCloseTo(100);
    // 200 ms of the first second.
    expect(batcher.deviceReports()[0]?.busyShare).toBeCloseTo(0.2);
    expect(batcher.counters.deviceBusyMs).toBe(200);
    device.releaseAll();
  });
});
