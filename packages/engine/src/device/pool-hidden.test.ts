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

describe('of a pair with all special tokens masked', () => {
  // [CLS] a [SEP] b c [SEP]
  const pair = {
    hidden: Float32Array.of(9, 1, 8, 3, 9, 7),
    size: 1,
    starts: Int32Array.of(0),
    lengths: Int32Array.of(6),
    seconds: Int32Array.of(3),
    masked: { first: 1, between: 1, last: 1 },
  };

  it.each([
    ['none', [0, 1, 0, 3, 9, 0]],
    ['mean', [Math.fround(13 / 3)]],
    ['max', [9]],
    ['cls', [9]],
    // Three tokens count, so the place is 2.
    ['last_token', [8]],
  ] as const)('pools by %s as bert-as-service does', (pooling, expected) => {
    expect([...poolHidden(pair, pooling)]).toEqual(expected);
  });
});

describe('without the tokens of a prompt', () => {
  // [CLS] and a prompt of one token, then a text of two, or none; [SEP].
  const prompted = {
    hidden: Float32Array.of(9, 9, 1, 3, 5, 9, 9, 7),
    size: 1,
    starts: Int32Array.of(0, 5),
    lengths: Int32Array.of(5, 3),
    unpooled: Int32Array.of(2, 3),
  };

  it.each([
    ['none', [9, 9, 1, 3, 5, 9, 9, 7]],
    ['mean', [3, 0]],
    ['max', [5, Math.fround(-1e30)]],
    ['cls', [1, 9]],
    ['last_token', [5, 0]],
  ] as const)('pools by %s what is left', (pooling, expected) => {
    expect([...poolHidden(prompted, pooling)]).toEqual(expected);
  });
});
