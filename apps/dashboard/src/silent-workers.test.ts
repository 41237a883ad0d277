import { expect, it } from 'vitest';
import { SilentWorkers, type WorkerStatus } from './silent-workers.ts';

function worker(workerId: string, given: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    workerId,
    host: 'box',
    pid: 1,
    model: 'tiny',
    fingerprint: 'f',
    state: 'running',
    devices: [],
    textsPerSecond: 10,
    tokensPerSecond: 100,
    waitingTexts: 5,
    residentBytes: 1,
    startedAtMs: 0,
    lastSeenMs: 1_000,
    ...given,
  };
}

it('a worker that missed two heartbeats is silent, and no sooner', () => {
  const silent = new SilentWorkers();
  const heard = silent.hear([worker('a', { lastSeenMs: 11_000 }), worker('b', { lastSeenMs: 11_001 })], 0);
  expect(heard.map(({ state }) => state)).toEqual(['running', 'silent']);
});

it('a worker that is gone without a word stays for five minutes, its silence growing', () => {
  const silent = new SilentWorkers();
  silent.hear([worker('a', { lastSeenMs: 14_000 }), worker('b')], 1_000);
  const [, gone] = silent.hear([worker('b')], 2_000);
  expect(gone).toMatchObject({ workerId: 'a', state: 'silent', lastSeenMs: 15_000, textsPerSecond: 0 });
  const told = (atMs: number) => silent.hear([worker('b')], atMs);
  for (let atMs = 3_000; atMs < 61_000; atMs += 1_000) told(atMs);
  expect(told(61_000)[1]).toMatchObject({ lastSeenMs: 74_000 });
  for (let atMs = 62_000; atMs < 301_000; atMs += 1_000) told(atMs);
  expect(told(301_000)).toHaveLength(2);
  expect(told(301_001)).toHaveLength(1);
  expect(told(302_000)).toHaveLength(1);
});

it('nobody fell silent while Redis was gone, or this clock was set', () => {
  const silent = new SilentWorkers();
  silent.hear([worker('a')], 0);
  // A minute without Redis; the first heartbeat after it is yet to come.
  expect(silent.hear([], 60_000)).toEqual([]);
  expect(silent.hear([], 3_660_000)).toEqual([]);
  expect(silent.hear([], 60_000)).toEqual([]);
  for (let atMs = 61_000; atMs <= 70_000; atMs += 1_000) expect(silent.hear([], atMs)).toEqual([]);
  expect(silent.hear([], 71_000)).toMatchObject([{ workerId: 'a', state: 'silent' }]);
});

it('of a large farm that was stopped by force not all are told of', () => {
  const silent = new SilentWorkers();
  silent.hear(
    Array.from({ length: 1_000 }, (_, index) => worker(`w${index}`, { lastSeenMs: 14_000 })),
    0,
  );
  expect(silent.hear([], 1_000)).toHaveLength(100);
});

it.each(['draining', 'refused'] as const)('a worker that said %s goes quietly', (state) => {
  const silent = new SilentWorkers();
  silent.hear([worker('a')], 0);
  silent.hear([worker('a', { state })], 1_000);
  expect(silent.hear([], 2_000)).toEqual([]);
});

it('a worker that is back is as it says', () => {
  const silent = new SilentWorkers();
  silent.hear([worker('a')], 0);
  for (let atMs = 1_000; atMs < 20_000; atMs += 1_000) silent.hear([], atMs);
  expect(silent.hear([], 20_000)[0]?.state).toBe('silent');
  expect(silent.hear([worker('a', { lastSeenMs: 3 })], 25_000)).toEqual([worker('a', { lastSeenMs: 3 })]);
});
