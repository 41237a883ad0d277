import { describe, expect, it } from 'vitest';
import type { BoardEvent } from '../src/board-shape.ts';
import { SCENES, SyntheticBoard } from '../src/testing/synthetic-board.ts';
import { BoardMemory, farmNowMs, historyOf, putOver, type BoardView } from './board-memory.ts';
import { secondsOf, timeBuckets } from './time-buckets.ts';

const NOW_MS = 1_790_000_000_000;

const identity = (place: number): number => place;

describe('what comes again', () => {
  it('replaces what was known of that second, and the old end goes', () => {
    const known = [
      { at: 1, n: 1 },
      { at: 2, n: 1 },
      { at: 3, n: 1 },
    ];
    const fresh = [
      { at: 3, n: 2 },
      { at: 4, n: 2 },
    ];
    expect(putOver(known, fresh, ({ at }) => at, 3)).toEqual([{ at: 2, n: 1 }, ...fresh]);
  });

  it('may be older than what is known', () => {
    expect(putOver([5, 6], [4, 6], identity, 100)).toEqual([4, 5, 6]);
    expect(putOver([5, 7], [], identity, 100)).toEqual([5, 7]);
  });

  it('is believed where it ends before what is known: a clock was set back', () => {
    expect(putOver([4_000, 4_001], [399, 400], identity, 100)).toEqual([399, 400]);
  });
});

describe('the memory of the page', () => {
  it('keeps what an event leaves out', () => {
    const memory = new BoardMemory();
    const board = new SyntheticBoard('busy', NOW_MS);
    const first = memory.take(board.snapshot(NOW_MS));
    const { curves: _curves, requests: _requests, ...rest } = board.update(NOW_MS + 1_000);
    const second = memory.take(rest);
    expect(second.curves).toBe(first.curves);
    expect(second.requests).toBe(first.requests);
    expect(second.points).toHaveLength(301);
    expect(second.points.at(-1)?.second).toBe((first.points.at(-1)?.second ?? 0) + 1);
    expect(memory.newestSecond).toBe(NOW_MS / 1_000);
  });

  it('keeps the last state while Redis is down', () => {
    const memory = new BoardMemory();
    const known = memory.take(new SyntheticBoard('busy', NOW_MS).snapshot(NOW_MS));
    const down = memory.take(downEvent());
    expect(down.redis).toBe('down');
    expect(down.status).toBe(known.status);
    expect(down.points).toBe(known.points);
  });

  it('knows an hour from the first event on, and none of it twice', () => {
    const memory = new BoardMemory();
    const board = new SyntheticBoard('busy', NOW_MS);
    memory.take(board.snapshot(NOW_MS));
    for (let second = 1; second <= 40; second += 1) memory.take(board.update(NOW_MS + second * 1_000));
    expect(memory.view && secondsKnown(memory.view)).toBe(3_640);
    const again = memory.take(board.snapshot(NOW_MS + 41_000));
    expect(secondsKnown(again)).toBe(3_600);
    expect(again.points).toHaveLength(300);
    const hour = timeBuckets(historyOf(again), '1h', 20);
    expect(hour.filter(({ points }) => points.length === 0)).toEqual([]);
  });

  it('has the time of Redis, whatever the clock of the server says', () => {
    const view = new BoardMemory().take({
      ...new SyntheticBoard('busy', NOW_MS).snapshot(NOW_MS),
      updatedAtMs: NOW_MS + 3_600_000,
    });
    expect(Math.abs(farmNowMs(view) - NOW_MS)).toBeLessThanOrEqual(1_000);
    expect(farmNowMs({ points: [], updatedAtMs: 7 })).toBe(7);
  });

  it('shows nothing that it was never told', () => {
    const view = new BoardMemory().take(downEvent());
    expect(view).toMatchObject({ status: null, waiting: null, points: [], requests: [] });
  });

  it.each(SCENES)('takes a farm that is %s over JSON', (scene) => {
    const event = JSON.parse(
      JSON.stringify(new SyntheticBoard(scene, NOW_MS).snapshot(NOW_MS)),
    ) as BoardEvent;
    expect(new BoardMemory().take(event).minutes).toHaveLength(60);
  });
});

const secondsKnown = (view: BoardView) => historyOf(view).reduce((sum, point) => sum + secondsOf(point), 0);

function downEvent(): BoardEvent {
  return {
    redis: 'down',
    redisSinceMs: NOW_MS,
    updatedAtMs: NOW_MS + 60_000,
    status: null,
    waiting: null,
    points: [],
  };
}
