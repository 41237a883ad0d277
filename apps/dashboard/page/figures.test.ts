import { describe, expect, it } from 'vitest';
import { shownStatus } from '../src/shown-status.ts';
import { boardPoint, EMPTY_STATUS } from '../src/testing/fake-farm-view.ts';
import type { BoardView, MinuteStats } from './board-memory.ts';
import { figuresOf } from './figures.ts';

const EMPTY_VIEW: BoardView = {
  redis: 'up',
  redisSinceMs: 0,
  updatedAtMs: 0,
  status: shownStatus({ status: EMPTY_STATUS, workers: [] }),
  waiting: null,
  points: [],
  older: [],
  minutes: [],
  byClients: [],
  clients: [],
  requests: [],
  failures: [],
  curves: [],
};

const LANE: MinuteStats['lanes']['bulk'] = {
  texts: 0,
  tokens: 0,
  failed: 0,
  chunks: 0,
  stages: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0, storeMs: 0 },
  latencyMs: [],
  replyMs: 0,
  replies: 0,
};

function minute(at: number, given: Partial<MinuteStats> = {}): MinuteStats {
  return {
    minute: at,
    lanes: { interactive: LANE, bulk: LANE },
    failures: {},
    batches: { count: 0, tokens: 0, slotTokens: 0, budgetTokens: 0, fillPercent: [] },
    lengths: { tokens: [], truncated: 0 },
    cache: { lookups: 0, hits: 0 },
    clients: 0,
    ...given,
  };
}

const point = (second: number, texts: number) =>
  boardPoint(second, { texts, tokens: texts * 10, clients: 1 });

const waiting = (jobs: number, clearSeconds?: number) => ({
  jobs,
  texts: jobs * 3,
  tokens: jobs * 30,
  oldestMs: jobs > 0 ? jobs * 100 : undefined,
  clearSeconds,
});

describe('figures', () => {
  it('of a farm that nobody has heard of are none', () => {
    const figures = figuresOf({ ...EMPTY_VIEW, redis: 'down', status: null });
    expect(Object.values(figures).every((value) => value === undefined)).toBe(true);
  });

  it('of an empty farm are zeros, but for what is a share or a mean of nothing', () => {
    const figures = figuresOf({ ...EMPTY_VIEW, waiting: { interactive: waiting(0, 0), bulk: waiting(0) } });
    expect(figures).toMatchObject({ 'waiting-texts': 0, 'clears-in': 0, oldest: 0, failures: 0, clients: 0 });
    expect(figures['cache-hits']).toBeUndefined();
    expect(figures['p95-bulk']).toBeUndefined();
  });

  it('are means over the last five seconds', () => {
    const points = [1_000, 10, 20, 30, 40, 50].map((texts, second) => point(second, texts));
    expect(figuresOf({ ...EMPTY_VIEW, points })).toMatchObject({
      'texts-per-second': 30,
      'tokens-per-second': 300,
    });
  });

  it('say when the slower lane is clear, and nothing where it never is', () => {
    const inTime = { interactive: waiting(1, 2), bulk: waiting(4, 130) };
    expect(figuresOf({ ...EMPTY_VIEW, waiting: inTime })).toMatchObject({
      'waiting-texts-bulk': 12,
      'waiting-tokens': 150,
      'clears-in': 130_000,
      oldest: 400,
    });
    const never = { interactive: waiting(1, 2), bulk: waiting(4) };
    expect(figuresOf({ ...EMPTY_VIEW, waiting: never })['clears-in']).toBeUndefined();
  });

  it('take percentiles of the last five minutes, by lane', () => {
    const bulk = { ...LANE, latencyMs: [{ upTo: 16, count: 100 }] };
    const old = { ...LANE, latencyMs: [{ upTo: 4_096, count: 1_000 }] };
    const minutes = [
      minute(1, { lanes: { interactive: LANE, bulk: old } }),
      minute(6, { lanes: { interactive: LANE, bulk } }),
    ];
    const figures = figuresOf({ ...EMPTY_VIEW, minutes });
    // Four edges to the octave: the bucket below 16 begins at 13.45.
    expect(figures['p50-bulk']).toBeCloseTo((16 + 16 / 2 ** 0.25) / 2, 6);
    expect(figures['p50-interactive']).toBeUndefined();
  });

  it('count failures of all reasons in the last hour', () => {
    const minutes = [
      minute(1, { failures: { device_lost: 2 } }),
      minute(2, { failures: { device_lost: 1, internal: 4 } }),
    ];
    expect(figuresOf({ ...EMPTY_VIEW, minutes }).failures).toBe(7);
  });
});
