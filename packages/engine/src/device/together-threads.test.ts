import { expect, it } from 'vitest';
import { togetherThreads } from './together-threads.ts';

it.each([
  [['cpu/0', 'cpu/1'], 2, 2],
  [['cpu/0', 'cpu/1', 'cpu/2', 'cpu/3'], 2, 2],
  [['cpu/0', 'cpu/1'], 64, 2],
  [Array.from({ length: 64 }, (_, core) => `cpu/${core}`), 64, 8],
  [['cpu/0'], 8, undefined],
  [['cpu/0', 'cpu/1'], 1, undefined],
  [['cpu/0', 'cpu/1', 'cuda:0'], 8, undefined],
  [['webgpu'], 8, undefined],
])('gives %j on %i cores %j threads together', (names, cores, threads) => {
  expect(togetherThreads(names, cores)).toBe(threads);
});
