import { expect, it } from 'vitest';
import { loadAt } from './curve.fixture.ts';
import { leftLabel, measureRounds } from './measure-rounds.ts';

it('goes through all places in turn, every other round backwards, and says how far it is', async () => {
  const order: number[] = [];
  const lines: string[] = [];
  const points = [1, 2, 4].map((x) => ({
    series: 'a',
    x,
    measure: () => {
      order.push(x);
      return Promise.resolve(loadAt(x * 10 + order.length));
    },
  }));
  const control = { signal: new AbortController().signal, say: (line: string) => void lines.push(line) };
  const measured = await measureRounds('title', points, 2, control);
  expect(order).toEqual([1, 2, 4, 4, 2, 1]);
  expect(measured.map(({ x, rounds }) => [x, rounds.map((load) => load.textsPerSecond)])).toEqual([
    [1, [11, 16]],
    [2, [22, 25]],
    [4, [43, 44]],
  ]);
  expect(lines[3]).toMatch(/^title: round 2 of 2, a at 4 \(4 of 6\): 44\.0 texts\/s; /);
  expect(lines.at(-1)).toMatch(/; done$/);
});

it('measures nothing more once it is stopped', async () => {
  const stop = new AbortController();
  let measurements = 0;
  const point = {
    series: 'a',
    x: 1,
    measure: () => {
      measurements += 1;
      stop.abort();
      return Promise.resolve(loadAt(1));
    },
  };
  const control = { signal: stop.signal, say: () => undefined };
  await expect(measureRounds('title', [point, point], 3, control)).rejects.toThrow(/abort/);
  expect(measurements).toBe(1);
});

it('tells time as people do', () => {
  expect([100, 45_000, 89_000, 240_000].map(leftLabel)).toEqual([
    'done',
    'about 45 s left',
    'about 89 s left',
    'about 4 min left',
  ]);
});
