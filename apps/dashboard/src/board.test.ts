import { FarmError } from '@embedfarm/contract';
import { afterEach, expect, it, vi } from 'vitest';
import { Board } from './board.ts';
import { clientRow, FakeFarmView, minuteStats, statsPoint } from './testing/fake-farm-view.ts';

afterEach(() => {
  vi.useRealTimers();
});

const gone = (): Promise<never> => {
  const fault = Promise.reject(new Error('connection refused'));
  // The view awaits it later; until then nobody does.
  fault.catch(() => undefined);
  return fault;
};
const silence = new Promise<never>(() => undefined);

it('samples and reads once an update, and shows what it read', async () => {
  const view = new FakeFarmView();
  view.points = [statsPoint(1, { clients: 2, texts: 40 }), statsPoint(2, { clients: 2, texts: 60 })];
  const board = await Board.open({ openView: async () => view });
  expect(board.state).toMatchObject({ redis: 'up', status: view.farmStatus, history: view.points });
  expect(board.state.parts.byClients?.value).toEqual([
    { clients: 2, seconds: 2, textsPerSecond: 50, textsPerSecondPerClient: 25 },
  ]);
  expect([view.samples, view.reads]).toEqual([1, 1]);
  await board.close();
});

it('is one update when two are asked for at a time', async () => {
  const view = new FakeFarmView();
  const board = await Board.open({ openView: async () => view });
  await Promise.all([board.update(), board.update()]);
  expect(view.reads).toBe(2);
  await board.close();
});

it('keeps what it knew while Redis is gone, and goes on over a new view when it is back', async () => {
  const views: FakeFarmView[] = [];
  const openView = async () => {
    const view = new FakeFarmView();
    view.points = [statsPoint(views.length + 1, { texts: 5 })];
    views.push(view);
    return view;
  };
  const board = await Board.open({ openView });
  const [first] = views;
  if (first) first.fault = gone();
  expect(await board.update()).toMatchObject({ redis: 'down', history: [{ second: 1 }], fresh: [] });
  expect(await board.update()).toMatchObject({ redis: 'up', history: [{ second: 1 }, { second: 2 }] });
  expect(first?.closes).toBe(1);
  await board.close();
  expect(views.map(({ closes }) => closes)).toEqual([1, 1]);
});

it('reads the whole hour again when the clock of Redis was set back', async () => {
  const asked: number[] = [];
  const view = new (class extends FakeFarmView {
    override async series(seconds: number) {
      asked.push(seconds);
      return await super.series(seconds);
    }
  })();
  view.points = [statsPoint(7_200)];
  const board = await Board.open({ openView: async () => view });
  view.points = [statsPoint(3_599), statsPoint(3_600)];
  await board.update();
  await board.update();
  await board.update();
  expect(asked.map((seconds) => seconds > 100)).toEqual([true, false, true, false]);
  expect(board.state.history.map(({ second }) => second)).toEqual([3_599, 3_600]);
  await board.close();
});

it('opens without Redis and comes up with it', async () => {
  let isUp = false;
  const openView = async () => {
    if (!isUp) throw new FarmError('redis_unavailable', 'connection refused');
    return new FakeFarmView();
  };
  const board = await Board.open({ openView });
  expect(board.state).toMatchObject({ redis: 'down', status: undefined });
  const { redisSinceMs } = board.state;
  expect((await board.update()).redisSinceMs).toBe(redisSinceMs);
  isUp = true;
  expect((await board.update()).redis).toBe('up');
  await board.close();
});

it('does not wait for a Redis that takes the question and never answers', async () => {
  vi.useFakeTimers();
  const view = new FakeFarmView();
  const opening = Board.open({ openView: async () => view });
  const board = await opening;
  view.fault = silence;
  const updating = board.update();
  await vi.advanceTimersByTimeAsync(3_000);
  expect((await updating).redis).toBe('down');
  expect(view.closes).toBe(1);
  await board.close();
});

it('closes a view that opened too late', async () => {
  vi.useFakeTimers();
  const late = new FakeFarmView();
  let arrive = (_view: FakeFarmView): void => undefined;
  const opening = Board.open({
    openView: () =>
      new Promise<FakeFarmView>((resolve) => {
        arrive = resolve;
      }),
  });
  await vi.advanceTimersByTimeAsync(3_000);
  const board = await opening;
  expect(board.state.redis).toBe('down');
  arrive(late);
  await board.close();
  expect(late.closes).toBe(1);
});

it('tells the log when Redis goes and when it is back, once each', async () => {
  const view = new FakeFarmView();
  const logger = { info: vi.fn<(text: string) => void>(), warn: vi.fn<(text: string) => void>() };
  const board = await Board.open({ openView: async () => view, logger: logger as never });
  view.fault = gone();
  await board.update();
  await board.update();
  view.fault = undefined;
  await board.update();
  await board.update();
  expect(logger.warn).toHaveBeenCalledTimes(1);
  expect(logger.info).toHaveBeenCalledTimes(1);
  await board.close();
});

it('closes at once while Redis is silent', async () => {
  const view = new FakeFarmView();
  const logger = { warn: vi.fn<(text: string) => void>() };
  const board = await Board.open({ openView: async () => view, logger: logger as never });
  view.fault = silence;
  const updating = board.update();
  await board.close();
  await updating;
  expect(view.closes).toBe(1);
  expect(logger.warn).not.toHaveBeenCalled();
});

it('refuses to open where no Redis could ever be', async () => {
  const openView = async (): Promise<never> => {
    throw new FarmError('invalid_argument', 'redis: got "nonsense"');
  };
  await expect(Board.open({ openView })).rejects.toMatchObject({ code: 'invalid_argument' });
});

it('may be closed twice, and updates no more', async () => {
  const view = new FakeFarmView();
  const board = await Board.open({ openView: async () => view });
  await Promise.all([board.close(), board.close()]);
  await board.update();
  expect([view.closes, view.reads]).toEqual([1, 1]);
});

it('reads what changes slowly rarely, and everything again over a new view', async () => {
  vi.useFakeTimers();
  const view = new FakeFarmView();
  const board = await Board.open({ openView: async () => view });
  for (let second = 0; second < 10; second += 1) {
    vi.setSystemTime(Date.now() + 1_000);
    await board.update();
  }
  expect(view.partReads).toEqual({
    waiting: 11,
    minutes: 6,
    requests: 6,
    clients: 3,
    failures: 3,
    curves: 1,
  });
  view.fault = gone();
  await board.update();
  view.fault = undefined;
  const { curves } = view.partReads;
  await board.update();
  expect(view.partReads['curves']).toBe((curves ?? 0) + 1);
  await board.close();
});

it('reads nothing while Redis is down', async () => {
  const view = new FakeFarmView();
  let isUp = true;
  const openView = async () => {
    if (!isUp) throw new FarmError('redis_unavailable', 'connection refused');
    return view;
  };
  const board = await Board.open({ openView });
  isUp = false;
  view.fault = gone();
  await board.update();
  const reads = { ...view.partReads };
  await board.update();
  await board.update();
  expect(view.partReads).toEqual(reads);
  await board.close();
});

it('leaves out a part that cannot be read, says so once, and shows the rest', async () => {
  const view = new FakeFarmView();
  const logger = { warn: vi.fn<(text: string) => void>() };
  view.broken = ['waiting', 'requests'];
  view.clientRows = [clientRow('c')];
  vi.useFakeTimers();
  const board = await Board.open({ openView: async () => view, logger: logger as never });
  for (let second = 0; second < 9; second += 1) {
    vi.setSystemTime(Date.now() + 1_000);
    await board.update();
  }
  expect(board.state).toMatchObject({ redis: 'up', waiting: undefined });
  expect(board.state.parts.requests).toBeUndefined();
  expect(board.state.parts.clients?.value).toEqual([clientRow('c')]);
  expect(logger.warn.mock.calls.map(([text]) => text)).toEqual([
    expect.stringContaining('what waits cannot be read: [internal] WRONGTYPE'),
    expect.stringContaining('requests cannot be read'),
  ]);
  await board.close();
});

it('keeps an hour of minutes, the newest put over what was known', async () => {
  const view = new FakeFarmView();
  view.minuteList = Array.from({ length: 60 }, (_, index) => minuteStats(100 + index));
  const board = await Board.open({ openView: async () => view });
  vi.useFakeTimers();
  vi.setSystemTime(Date.now() + 2_000);
  view.minuteList = [...view.minuteList.slice(0, 59), minuteStats(159, { clients: 2 }), minuteStats(160)];
  await board.update();
  const minutes = board.state.parts.minutes?.value ?? [];
  expect(minutes).toHaveLength(60);
  expect(minutes.slice(-2)).toEqual([minuteStats(159, { clients: 2 }), minuteStats(160)]);
  await board.close();
});
