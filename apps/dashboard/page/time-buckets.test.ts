import { describe, expect, it } from 'vitest';
import type { BoardPoint } from '../src/board-shape.ts';
import { boardPoint } from '../src/testing/fake-farm-view.ts';
import type { MinuteStats } from './board-memory.ts';
import { inSteps } from './in-steps.ts';
import { heldOver, isUnfinished, meanOf, timeBuckets } from './time-buckets.ts';
import { thinHistory } from '../src/thin-history.ts';
import { STACK_SIZE, withMinutes, WorkerSlots } from './worker-stack.ts';

function point(second: number, workers: Record<string, number> = {}): BoardPoint {
  const texts = Object.values(workers).reduce((sum, count) => sum + count, 0);
  return boardPoint(second, { texts, workers });
}

describe('buckets of time', () => {
  it('begin at whole multiples and end with the newest second', () => {
    const buckets = timeBuckets([point(1_001), point(1_002)], '5min', 5);
    expect(buckets).toHaveLength(60);
    expect(buckets.at(-1)).toMatchObject({ second: 1_000, points: [{ second: 1_001 }, { second: 1_002 }] });
    expect(buckets[0]?.second).toBe(705);
    expect(timeBuckets([], '5min', 5)).toEqual([]);
  });

  it('leave out what is older than the range', () => {
    expect(timeBuckets([point(1), point(10_000)], '5min', 5).flatMap(({ points }) => points)).toHaveLength(1);
  });

  it('are a gap where nothing is known, and a mean of what is', () => {
    const buckets = timeBuckets([point(1_000, { a: 4 }), point(1_001, { a: 8 })], '5min', 5);
    expect(meanOf(buckets.at(-1) as (typeof buckets)[number], ({ texts }) => texts)).toBe(6);
    expect(meanOf(buckets.at(-2) as (typeof buckets)[number], ({ texts }) => texts)).toBeNull();
  });

  it('do not take a second in which nobody looked for one in which nothing waited', () => {
    const points = [
      boardPoint(1_000, { backlog: { interactive: 0, bulk: 6 } }),
      boardPoint(1_001, { backlog: null }),
    ];
    const bulk = timeBuckets(points, '5min', 5).map((bucket) =>
      meanOf(bucket, ({ backlog }) => backlog && backlog.bulk),
    );
    expect(bulk.at(-1)).toBe(6);
    expect(heldOver([null, 6, null, null, 3, null, null, null], 2)).toEqual([null, 6, 6, 6, 3, 3, 3, null]);
    expect(heldOver([6, null], 0)).toEqual([6, null]);
  });

  it('weigh some seconds in one as so many', () => {
    const [thin] = thinHistory(Array.from({ length: 3 }, (_, index) => point(1_000 + index, { a: 2 })));
    if (!thin) throw new Error('three seconds are one point');
    const bucket = timeBuckets([thin, point(1_003, { a: 6 })], '1h', 20).at(-1);
    expect(bucket && meanOf(bucket, ({ texts }) => texts)).toBe(3);
    expect(bucket && isUnfinished(bucket, 4)).toBe(false);
  });

  it('are unfinished until their last second is there', () => {
    const seconds = [1_000, 1_001, 1_002, 1_003, 1_004].map((second) => point(second));
    const [whole, part] = [seconds, seconds.slice(0, 4)].map((points) =>
      timeBuckets(points, '5min', 5).at(-1),
    );
    expect(whole && isUnfinished(whole, 5)).toBe(false);
    expect(part && isUnfinished(part, 5)).toBe(true);
  });
});

describe('throughput by worker', () => {
  it('has a place for the busiest, and one for all others', () => {
    const workers = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`w${index}`, index + 1]));
    const { workers: shown, textsPerSecond } = new WorkerSlots().stack(
      timeBuckets([point(9, workers)], '5min', 1),
    );
    expect(new Set(shown)).toEqual(new Set(['w4', 'w5', 'w6', 'w7', 'w8', 'w9', 'w10', 'w11']));
    expect(textsPerSecond[STACK_SIZE]?.at(-1)).toBe(1 + 2 + 3 + 4);
  });

  it('lets a worker keep its colour when others come and go', () => {
    const slots = new WorkerSlots();
    const first = slots.stack(timeBuckets([point(9, { b: 1, c: 1 })], '5min', 1)).workers;
    const second = slots.stack(timeBuckets([point(999, { a: 1, c: 1 })], '5min', 1)).workers;
    expect(second.indexOf('c')).toBe(first.indexOf('c'));
    expect(second).not.toContain('b');
  });
});

it('minutes tell the throughput of before the first second, of all workers together', () => {
  const buckets = timeBuckets([point(7_200, { a: 5 })], '1h', 60);
  const lane = (texts: number) => ({ texts }) as MinuteStats['lanes']['bulk'];
  const known = { minute: 119, lanes: { interactive: lane(60), bulk: lane(120) } } as unknown as MinuteStats;
  const stack = new WorkerSlots().stack(buckets);
  const { textsPerSecond } = withMinutes(stack, buckets, [known, { ...known, minute: 120 }]);
  expect(textsPerSecond.map((row) => row.slice(-3))).toEqual([
    [null, 0, 5],
    ...Array.from({ length: STACK_SIZE - 1 }, () => [null, 0, 0]),
    [null, 3, 0],
  ]);
});

describe('a trend', () => {
  it('has at most 60 steps, each the mean of what is known of it', () => {
    expect(inSteps(Array.from({ length: 300 }, () => 2))).toEqual(Array.from({ length: 60 }, () => 2));
    expect(inSteps([...Array.from({ length: 298 }, () => 2), 4, null]).at(-1)).toBe(2.5);
    expect(inSteps([null, 3])).toEqual([null, 3]);
  });
});
