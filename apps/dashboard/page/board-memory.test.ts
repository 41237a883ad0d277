import { describe, expect, it } from 'vitest';
import type { BoardEvent } from '../src/board-shape.ts';
import { SCENES, SyntheticBoard } from '../src/testing/synthetic-board.ts';
import { BoardMemory, putOver } from './board-memory.ts';

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
    expect(putOver([5, 6, 7], [6], identity, 100)).toEqual([5, 6, 7]);
    expect(putOver([5, 7], [6], identity, 100)).toEqual([5, 6, 7]);
    expect(putOver([5, 7], [], identity, 100)).toEqual([5, 7]);
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
    expect(down.workers).toBe(known.workers);
  });

  it('shows nothing that it was never told', () => {
    const view = new BoardMemory().take(downEvent());
    expect(view).toMatchObject({ status: null, waiting: null, points: [], workers: [], requests: [] });
  });

  it.each(SCENES)('takes a farm that is %s over JSON', (scene) => {
    const event = JSON.parse(
      JSON.stringify(new SyntheticBoard(scene, NOW_MS).snapshot(NOW_MS)),
    ) as BoardEvent;
    expect(new BoardMemory().take(event).minutes).toHaveLength(60);
  });
});

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
