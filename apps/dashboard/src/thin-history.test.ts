import { expect, it } from 'vitest';
import { boardPoint } from './testing/fake-farm-view.ts';
import { thinHistory } from './thin-history.ts';

it('twenty seconds are one point: means, and the most that waited', () => {
  const seconds = Array.from({ length: 40 }, (_, index) =>
    boardPoint(1_000 + index, {
      texts: index < 20 ? 3 : 5,
      backlog: { interactive: index === 7 ? 100 : 0, bulk: 2 },
      clients: 4,
      workers: index % 2 === 0 ? { a: 2 } : { b: 1 },
    }),
  );
  const [first, second, ...rest] = thinHistory(seconds);
  expect(rest).toEqual([]);
  expect(first).toMatchObject({
    second: 1_000,
    seconds: 20,
    texts: 3,
    backlog: { interactive: 5, bulk: 2 },
    maxBacklog: 102,
    clients: 4,
    workers: { a: 1, b: 0.5 },
  });
  expect(second).toMatchObject({ second: 1_020, texts: 5, maxBacklog: 2 });
});

it('seconds in which nobody looked are no zeros, and where nobody did there is no depth', () => {
  const blind = { backlog: null, clients: null, oldestMs: null };
  const [first, second] = thinHistory([
    boardPoint(1_000, { backlog: { interactive: 0, bulk: 8 }, oldestMs: 500 }),
    boardPoint(1_001, blind),
    boardPoint(1_020, { ...blind, texts: 6 }),
  ]);
  expect(first).toMatchObject({ seconds: 2, backlog: { bulk: 8 }, oldestMs: 500 });
  expect(second).toMatchObject({ seconds: 1, texts: 6, backlog: null, clients: null, oldestMs: null });
});
