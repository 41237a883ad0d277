import { describe, expect, it } from 'vitest';
import { curveStory, type BenchCurve } from './bench-curve.ts';
import { clientsRows } from './clients-rows.ts';
import { speedUp } from './speed-up.ts';

const CURVE: BenchCurve = {
  curve: 'by-clients',
  shape: 'minilm',
  workload: 'uniform-40',
  workers: 1,
  devices: '2 × cpu',
  machine: 'a box',
  commit: '0123456789',
  measuredAt: '2026-11-20T08:00:00.000Z',
  points: [
    { x: 2, textsPerSecond: 100, tokensPerSecond: 4_000 },
    { x: 4, textsPerSecond: 180, tokensPerSecond: 7_200 },
  ],
};

const LIVE = { clients: 4, seconds: 9, textsPerSecond: 160, textsPerSecondPerClient: 40 };

describe('throughput by clients', () => {
  it('joins what is live with what was measured, by number of clients', () => {
    expect(clientsRows([LIVE, { ...LIVE, clients: 3 }], CURVE, false)).toEqual([
      { clients: 2, live: null, seconds: 0, bench: 100 },
      { clients: 3, live: 160, seconds: 9, bench: null },
      { clients: 4, live: 160, seconds: 9, bench: 180 },
    ]);
  });

  it('is divided among them', () => {
    expect(clientsRows([LIVE], CURVE, true).at(-1)).toMatchObject({ live: 40, bench: 45 });
  });

  it('needs no curve', () => {
    expect(clientsRows([LIVE], undefined, false)).toHaveLength(1);
  });
});

describe('speed-up', () => {
  it('is against the fewest workers measured, taken to be ideal', () => {
    expect(speedUp(CURVE)).toEqual([
      [2, 2],
      [4, 3.6],
    ]);
  });

  it('of nothing is none', () => {
    expect(speedUp(undefined)).toEqual([]);
    const still = { ...CURVE, points: [{ x: 1, textsPerSecond: 0, tokensPerSecond: 0 }] };
    expect(speedUp(still)).toEqual([]);
  });
});

it('a curve says what it was measured with', () => {
  expect(curveStory(CURVE)).toBe('minilm, uniform-40, 1 worker of 2 × cpu, on a box, 2026-11-20, 01234567');
});
