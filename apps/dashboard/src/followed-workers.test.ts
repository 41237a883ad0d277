import { expect, it } from 'vitest';
import { FollowedWorkers } from './followed-workers.ts';
import { statsPoint } from './testing/fake-farm-view.ts';

const many = (count: number, texts: (index: number) => number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`w${index}`, texts(index)]));

it('a farm of a few workers is told whole', () => {
  const points = [statsPoint(1, { workers: many(16, () => 1) })];
  expect(new FollowedWorkers().cut(points)).toEqual(points);
});

it('of a thousand the busiest are followed, and stay when others are busier for a second', () => {
  const followed = new FollowedWorkers();
  const [first] = followed.cut([statsPoint(1, { texts: 9, workers: many(1_000, (index) => index) })]);
  const ids = Object.keys(first?.workers ?? {});
  expect(ids.toSorted()).toEqual(Array.from({ length: 16 }, (_, index) => `w${984 + index}`));
  expect(first?.texts).toBe(9);
  const [second] = followed.cut([statsPoint(2, { workers: many(1_000, (index) => 1_000 - index) })]);
  expect(Object.keys(second?.workers ?? {}).toSorted()).toEqual(ids.toSorted());
});

it('a worker that ends nothing for five minutes makes place', () => {
  const followed = new FollowedWorkers();
  followed.cut([statsPoint(1, { workers: many(16, () => 1) })]);
  const after = (second: number) =>
    Object.keys(followed.cut([statsPoint(second, { workers: { new: 1 } })])[0]?.workers ?? {});
  expect(after(300)).toEqual([]);
  expect(after(301)).toEqual(['new']);
});

it('a clock that was set back forgets whom it knew', () => {
  const followed = new FollowedWorkers();
  followed.cut([statsPoint(9_000, { workers: many(16, () => 1) })]);
  const [point] = followed.cut([statsPoint(5_000, { workers: { new: 1 } })]);
  expect(point?.workers).toEqual({ new: 1 });
});
