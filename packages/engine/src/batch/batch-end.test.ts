import { FarmError } from '@embedfarm/contract';
import { FakeDevice } from '@embedfarm/testkit/fake-device';
import { expect, it } from 'vitest';
import type { BatchEnd } from './batch-end.ts';
import { Batcher } from './batcher.ts';
import { putTexts as put } from './recorded-call.fixture.ts';

const SEAT = { provider: 'cpu', slots: 1, tokenBudget: 256, msPerToken: 1 } as const;

function open(device: FakeDevice, together?: FakeDevice): { batcher: Batcher; ends: BatchEnd[] } {
  const batcher = new Batcher([{ ...SEAT, device }], {
    windowTexts: 64,
    graph: 'packed',
    now: () => performance.now(),
    ...(together ? { together: { ...SEAT, device: together } } : {}),
  });
  const ends: BatchEnd[] = [];
  batcher.onBatch((batch) => ends.push(batch));
  return { batcher, ends };
}

it('tells of each batch what it held and what it could have held', async () => {
  const { batcher, ends } = open(new FakeDevice({ name: 'cpu/0' }));
  await put(batcher, [10, 20, 30]).settled;
  expect(ends).toEqual([
    {
      devices: ['cpu/0'],
      texts: 3,
      tokens: 60,
      slotTokens: 90,
      tokenBudget: 256,
      durationMs: expect.any(Number),
    },
  ]);
});

it('names every core for a batch that all of them ran together', async () => {
  const { batcher, ends } = open(new FakeDevice({ name: 'cpu/0' }), new FakeDevice({ name: 'cpu/*' }));
  await put(batcher, [10]).settled;
  expect(ends.map(({ devices }) => devices)).toEqual([['cpu/0']]);
});

it('tells nothing of a batch that failed, nor to one who has stopped listening', async () => {
  const fault = new FarmError('internal', 'told to fail');
  const { batcher, ends } = open(new FakeDevice({ fault: () => fault }));
  await put(batcher, [10]).settled;
  expect(ends).toEqual([]);
  const whole = open(new FakeDevice());
  whole.batcher.onBatch(() => expect.unreachable('it stopped listening'))();
  await put(whole.batcher, [10]).settled;
  expect(whole.ends).toHaveLength(1);
});
