import { expect, it } from 'vitest';
import { poolHidden } from './pool-hidden.ts';

// Two rows of 2 and 1 tokens in 3 slots each; the last slots hold what must not count.
const rows = {
  hidden: Float32Array.of(1, -2, 3, 4, 99, 99, -5, 6, 99, 99, 99, 99),
  size: 2,
  starts: Int32Array.of(0, 3),
  lengths: Int32Array.of(2, 1),
};

it.each([
  ['mean', [2, 1, -5, 6]],
  ['cls', [1, -2, -5, 6]],
  ['max', [3, 4, -5, 6]],
] as const)('pools by %s over real tokens alone', (pooling, expected) => {
  expect([...poolHidden(rows, pooling)]).toEqual(expected);
});
