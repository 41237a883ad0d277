import { FarmError } from '@embedfarm/contract';
import { FakeDevice, type FakeBatch } from '@embedfarm/testkit/fake-device';
import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';
import { RecordedCall } from './recorded-call.fixture.ts';
import type { SequenceBatch } from './sequence-batch.ts';

const SEQUENCES = [
  { ids: Int32Array.of(10, 11, 12), secondAt: 2 },
  { ids: Int32Array.of(20, 21), unpooled: 1 },
  { ids: Int32Array.of(30, 31, 32, 33), secondAt: 3, unpooled: 2 },
  { ids: Int32Array.of(40) },
];

/** What the device was told of each row, by the row's first id. */
function marksOf(batch: SequenceBatch): (number | undefined)[][] {
  let start = 0;
  return Array.from(batch.lengths, (length, row) => {
    start += length;
    return [batch.ids[start - length], batch.seconds?.[row] ?? 0, batch.unpooled?.[row] ?? 0];
  });
}

const EXPECTED = [
  [10, 2, 0],
  [20, 0, 1],
  [30, 3, 2],
  [40, 0, 0],
];

describe('Pairs and prompts in a Batcher', () => {
  it.each(['internal', 'device_lost'] as const)(
    'keep their marks in the batches after a %s',
    async (code) => {
      let isFirst = true;
      const fault = ({ lengths }: FakeBatch): Error | undefined => {
        const fails = code === 'internal' ? lengths.length > 1 : isFirst;
        isFirst = false;
        return fails ? new FarmError(code, 'not this one') : undefined;
      };
      const device = new FakeDevice({ name: 'cpu/0', fault });
      const seat = { device, provider: 'cpu', slots: 2, tokenBudget: 256, msPerToken: 1 } as const;
      const batcher = new Batcher([seat], { windowTexts: 64, graph: 'packed', now: () => performance.now() });
      const call = new RecordedCall(SEQUENCES.length);
      batcher.put(
        SEQUENCES.map((sequence, index) => ({ ...sequence, index, call })),
        'interactive',
      );
      await call.settled;
      expect(call.failures.size).toBe(0);
      expect(device.batches.length).toBeGreaterThan(1);
      const told = new Map(device.batches.flatMap(marksOf).map((row) => [row[0], row]));
      expect([...told.values()].toSorted(([a = 0], [b = 0]) => a - b)).toEqual(EXPECTED);
      for (const row of device.batches.flatMap(marksOf)) expect(EXPECTED).toContainEqual(row);
    },
  );
});
