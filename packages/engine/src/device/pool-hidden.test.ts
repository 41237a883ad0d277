import { describe, expect, it } from 'vitest';
import { poolHidden } from './pool-hidden.ts';

// Two rows of 2 and 1 tokens in 3 slots each; the last slots hold what must not count.
const rows = {
  hidden: Float32Array.of(1, -2, 3, 4, 99, 99, -5, 6, 99, 99, 99, 99),
  size: 2,
  starts: Int32Array.of(0, 3),
  lengths: Int32Array.of(2, 1),
};

it.each([
  ['none', [1, -2, 3, 4, -5, 6]],
  ['mean', [2, 1, -5, 6]],
  ['max', [3, 4, -5, 6]],
  ['mean_max', [2, 1, 3, 4, -5, 6, -5, 6]],
  ['cls', [1, -2, -5, 6]],
  ['last_token', [3, 4, -5, 6]],
  ['cls_pooled', [1, -2, -5, 6]],
] as const)('pools by %s over real tokens alone', (pooling, expected) => {
  expect([...poolHidden(rows, pooling)]).toEqual(expected);
});

describe('with the first and the last token masked', () => {
  // Four tokens, and a row of nothing but special ones.
  const masked = {
    hidden: Float32Array.of(9, 9, 1, -2, 3, 4, 8, 8, 7, 6, 5, 4),
    size: 2,
    starts: Int32Array.of(0, 4),
    lengths: Int32Array.of(4, 2),
    masked: { first: 1, last: 1 },
  };
  const least = Math.fround(-1e30);

  it.each([
    ['none', [0, 0, 1, -2, 3, 4, 0, 0, 0, 0, 0, 0]],
    ['mean', [2, 1, 0, 0]],
    ['max', [3, 4, least, least]],
    ['mean_max', [2, 1, 3, 4, 0, 0, least, least]],
    ['cls', [9, 9, 7, 6]],
    // Two tokens count, so the place is 1: as bert-as-service has it.
    ['last_token', [1, -2, 0, 0]],
  ] as const)('pools by %s as bert-as-service does', (pooling, expected) => {
    expect([...poolHidden(masked, pooling)]).toEqual(expected);
  });
});
