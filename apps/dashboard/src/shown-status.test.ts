import type { MinuteStats } from '@embedfarm/farm/figures';
import { expect, it } from 'vitest';
import { snapshotText, updateEvent } from './board-event.ts';
import { mergeParts } from './board-parts.ts';
import { blankBoardState, type BoardState } from './board-state.ts';
import { FollowedWorkers } from './followed-workers.ts';
import { shownStatus } from './shown-status.ts';
import { clientRow, EMPTY_STATUS, minuteStats, requestRow, statsPoint } from './testing/fake-farm-view.ts';

type Worker = BoardState['workers'][number];

const worker = (index: number, given: Partial<Worker> = {}): Worker => ({
  workerId: `a-host-of-the-farm-${index}-4711-0a1b2c3d`,
  host: `a-host-of-the-farm-${index}`,
  pid: 4_711,
  model: 'model-1',
  fingerprint: '9f31c2d47be0aa52',
  state: 'running',
  devices: [{ name: 'cpu/0', slots: 2, tokenBudget: 256, busyShare: index % 2 }],
  textsPerSecond: 12.5,
  tokensPerSecond: 400,
  waitingTexts: 3,
  residentBytes: 400_000_000,
  startedAtMs: 0,
  lastSeenMs: 100,
  ...given,
});

const alive = Array.from({ length: 1_000 }, (_, index) => worker(index));
const models = Array.from({ length: 200 }, (_, index) => ({
  model: `model-${index}`,
  fingerprint: '9f31c2d47be0aa52',
  dimensions: 384,
  maxSequenceLength: 256,
  pooling: 'mean',
  normalize: true,
  promptNames: Array.from({ length: 500 }, (__, at) => `prompt-${at}`),
  dtype: 'float32' as const,
  meaningful: true,
  workers: 5,
  backlog: { interactive: 0, bulk: 0 },
}));
const status = { ...EMPTY_STATUS, models, workers: alive as never, clients: 10_000 };

it('a farm of a thousand workers and 200 models is counted whole, and shown in part: the silent first', () => {
  const lost = worker(9_000, { state: 'silent' });
  const shown = shownStatus({ status, workers: [...alive, lost] });
  expect(shown).toMatchObject({
    aliveWorkers: 1_000,
    busyWorkers: 500,
    allWorkers: 1_001,
    allModels: 200,
    clients: 10_000,
  });
  expect(shown?.workers).toHaveLength(100);
  // By host, as a person counts.
  expect(shown?.workers.slice(0, 4)).toEqual([lost, alive[0], alive[1], alive[2]]);
  expect(shown?.models).toHaveLength(80);
});

it('names that somebody wrote by hand are cut', () => {
  const long = 'x'.repeat(1_000_000);
  const devices = Array.from({ length: 1_000 }, () => ({
    name: long,
    slots: 1,
    tokenBudget: 1,
    busyShare: 0,
  }));
  const shown = shownStatus({
    status: EMPTY_STATUS,
    workers: [worker(0, { host: long, fingerprint: long, devices })],
  });
  expect(JSON.stringify(shown).length).toBeLessThan(40_000);
});

it('of the largest farm an event is no more than a viewer reads in a second', () => {
  const workers = Object.fromEntries(alive.map(({ workerId }, index) => [workerId, index]));
  const followed = new FollowedWorkers();
  const history = Array.from({ length: 36 }, (_, page) =>
    followed.cut(
      Array.from({ length: 100 }, (__, index) =>
        statsPoint(page * 100 + index, { texts: 499_500, tokens: 20_000_000, clients: 10_000, workers }),
      ),
    ),
  ).flat();
  const minutes: MinuteStats[] = Array.from({ length: 60 }, (_, index) => minuteStats(index));
  const clients = Array.from({ length: 200 }, (_, index) =>
    clientRow(`c${index}`, { name: 'n'.repeat(64), host: 'h'.repeat(64) }),
  );
  const requests = Array.from({ length: 100 }, (_, index) =>
    requestRow(`0-c-${index}`, { label: 'l'.repeat(200) }),
  );
  const parts = mergeParts({}, { minutes, clients, requests }, { update: 1, second: 3_599 });
  const state: BoardState = {
    ...blankBoardState(0),
    redis: 'up',
    update: 2,
    status,
    workers: alive,
    history,
    fresh: history.slice(-6),
    parts,
  };
  expect(snapshotText(state).length).toBeLessThan(900_000);
  expect(JSON.stringify(updateEvent(state)).length).toBeLessThan(100_000);
});
