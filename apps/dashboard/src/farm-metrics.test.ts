import type { WorkerReport } from '@embedfarm/contract';
import type { FarmStatus } from '@embedfarm/farm/inspect';
import { describe, expect, it } from 'vitest';
import { blankBoardState, type BoardState } from './board-state.ts';
import { BoardProbes } from './board-probes.ts';
import { FarmMetrics } from './farm-metrics.ts';
import { EMPTY_STATUS, EMPTY_WAITING } from './testing/fake-farm-view.ts';

const MODEL = {
  model: 'org/tiny',
  fingerprint: 'f',
  dimensions: 4,
  maxSequenceLength: 32,
  pooling: 'mean',
  normalize: true,
  dtype: 'float32',
  meaningful: true,
  workers: 1,
  backlog: { interactive: 2, bulk: 3 },
} as const;

function worker(given: Partial<WorkerReport> = {}): FarmStatus['workers'][number] {
  return {
    workerId: 'w',
    host: '<b>host</b>',
    pid: 1,
    model: 'org/tiny',
    fingerprint: 'f',
    state: 'running',
    devices: [],
    textsPerSecond: 50,
    tokensPerSecond: 500,
    waitingTexts: 0,
    residentBytes: 1,
    startedAtMs: 0,
    lastSeenMs: 0,
    ...given,
  };
}

function up(status: Partial<FarmStatus>): BoardState {
  return { ...blankBoardState(0), redis: 'up', status: { ...EMPTY_STATUS, ...status } };
}

const BUSY = up({
  models: [MODEL],
  workers: [worker(), worker({ workerId: 'v', state: 'draining' })],
  backlog: { interactive: 2, bulk: 3 },
  clients: 10_000,
  openRequests: 7,
  webhooksDue: 1,
  admission: { ...EMPTY_STATUS.admission, texts: 600 },
});

describe('the metrics of the farm', () => {
  it('are what the board shows', async () => {
    const text = await new FarmMetrics().text(BUSY);
    for (const line of [
      'farm_redis_up 1',
      'farm_backlog_jobs{model="org/tiny",lane="interactive"} 2',
      'farm_backlog_jobs{model="org/tiny",lane="bulk"} 3',
      'farm_workers{model="org/tiny",state="running"} 1',
      'farm_workers{model="org/tiny",state="draining"} 1',
      'farm_workers{model="org/tiny",state="refused"} 0',
      'farm_texts_per_second{model="org/tiny"} 100',
      'farm_clients 10000',
      'farm_open_requests 7',
      'farm_webhooks_due 1',
      'farm_clear_seconds 6',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toMatch(/^farm_build_info\{role="dashboard",version="[^"]+"\} 1$/m);
    expect(text).not.toContain('host');
  });

  it('tell of what waits by lane, as far as it is known', async () => {
    const metrics = new FarmMetrics();
    const waiting = {
      interactive: { jobs: 1, texts: 5, tokens: 100, oldestMs: 1_500, clearSeconds: undefined },
      bulk: EMPTY_WAITING.bulk,
    };
    const text = await metrics.text({ ...up({}), waiting });
    const told = text.split('\n').filter((line) => /^farm_(backlog_(?!jobs)|oldest)/.test(line));
    expect(told).toEqual([
      'farm_backlog_texts{lane="interactive"} 5',
      'farm_backlog_texts{lane="bulk"} 0',
      'farm_backlog_tokens{lane="interactive"} 100',
      'farm_backlog_tokens{lane="bulk"} 0',
      'farm_backlog_seconds{lane="bulk"} 0',
      'farm_oldest_job_seconds{lane="interactive"} 1.5',
      'farm_oldest_job_seconds{lane="bulk"} 0',
    ]);
    // A job whose time cannot be read has no age.
    const ageless = { ...EMPTY_WAITING.bulk, jobs: 1 };
    const other = await metrics.text({ ...up({}), waiting: { ...waiting, bulk: ageless } });
    expect(other).not.toContain('farm_oldest_job_seconds{lane="bulk"}');
  });

  it('have no time to clear while nothing runs, and none to clear without a backlog', async () => {
    const metrics = new FarmMetrics();
    const stalled = up({ models: [MODEL], backlog: { interactive: 0, bulk: 3 } });
    expect(await metrics.text(stalled)).not.toMatch(/^farm_clear_seconds /m);
    expect(await metrics.text(up({}))).toMatch(/^farm_clear_seconds 0$/m);
  });

  it('are gone with Redis, all but that it is', async () => {
    const metrics = new FarmMetrics();
    await metrics.text(BUSY);
    const text = await metrics.text({ ...BUSY, redis: 'down' });
    expect(text).toMatch(/^farm_redis_up 0$/m);
    expect(text).toContain('process_resident_memory_bytes');
    const values = text.split('\n').filter((line) => /^farm_(?!redis_up|build_info)/.test(line));
    expect(values).toEqual([]);
    expect(await metrics.text(BUSY)).toContain('farm_clients 10000\n');
  });

  it('keep a name in its quotes, whatever is in it', async () => {
    const model = 'a"b\\\n} 1';
    const text = await new FarmMetrics().text(up({ models: [{ ...MODEL, model }] }));
    expect(text).toContain('farm_backlog_jobs{model="a\\"b\\\\\\n} 1",lane="bulk"} 3\n');
  });
});

it('is ready while Redis answers, and says since when it does not', async () => {
  const probes = (state: BoardState) => new BoardProbes({ state, queueMetrics: async () => '' });
  expect(await probes(BUSY).readiness()).toEqual({ ready: true });
  expect(await probes({ ...BUSY, redis: 'down' }).readiness()).toEqual({
    ready: false,
    reason: 'redis_unavailable',
    message: 'Redis does not answer since 1970-01-01T00:00:00.000Z',
  });
});
