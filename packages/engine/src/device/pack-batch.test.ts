import { expect, it } from 'vitest';
import { joinSequences, tokenTypes } from '../batch/sequence-batch.ts';
import { packBatch } from './pack-batch.ts';
import { padBatch } from './pad-batch.ts';

const batch = joinSequences([Int32Array.of(5, 6, 7), Int32Array.of(8)]);

it('packs rows without padding and says where attention finds its tokens', () => {
  const { slots, positions, pad, unpad, bias, starts } = packBatch(batch, 4);
  // Three tokens take sixteen slots: the number is a multiple of that.
  expect(slots).toBe(16);
  const padding = Array.from({ length: 13 }, () => 0);
  expect([...positions]).toEqual([0, 1, 2, 0]);
  expect([...pad]).toEqual([0, 1, 2, ...padding, ...Array.from({ length: 16 }, () => 3)]);
  expect([...unpad]).toEqual([0, 1, 2, 64]);
  const seen = [...bias].map((value) => (value === 0 ? 1 : 0)).join('');
  expect(seen).toBe('11100000000000001000000000000000');
  expect(new Set(bias)).toEqual(new Set([0, Math.fround(-1e9)]));
  expect([...starts]).toEqual([0, 3]);
});

it('pads rows to the longest one for an ordinary export', () => {
  const { slots, ids, mask, positions, starts } = padBatch(batch, 1);
  expect(slots).toBe(3);
  expect([...ids]).toEqual([5, 6, 7, 8, 1, 1]);
  expect([...mask]).toEqual([1, 1, 1, 1, 0, 0]);
  expect([...positions]).toEqual([0, 1, 2, 0, 1, 2]);
  expect([...starts]).toEqual([0, 3]);
});

it('tells second segments of pairs by their types, also in padded rows', () => {
  const pairs = joinSequences([Int32Array.of(5, 6, 7), Int32Array.of(8)], [{ secondAt: 1 }, {}]);
  expect([...tokenTypes(pairs)]).toEqual([0, 1, 1, 0]);
  expect([...padBatch(pairs, 0).types]).toEqual([0, 1, 1, 0, 0, 0]);
  expect(joinSequences([Int32Array.of(5)], [{}]).seconds).toBeUndefined();
});

it('lets no token attend to masked ones, between segments too', () => {
  const pair = joinSequences([Int32Array.of(2, 5, 3, 6, 3), Int32Array.of(2, 5, 3)], [{ secondAt: 3 }, {}]);
  const masked = { first: 1, between: 1, last: 1 };
  const seen = [...packBatch(pair, 1, masked).bias].map((bias) => (bias === 0 ? 1 : 0)).join('');
  expect(seen).toBe('01010000000000000100000000000000');
  expect([...padBatch(pair, 0, masked).mask].join('')).toBe('0101001000');
});
