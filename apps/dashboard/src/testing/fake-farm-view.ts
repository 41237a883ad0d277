import type { BenchCurve } from '@embedfarm/contract';
import type { ClientRow, FailureGroup, FarmWaiting, MinuteStats, RequestRow } from '@embedfarm/farm/figures';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';
import type { BoardPoint } from '../board-shape.ts';
import type { FarmView } from '../farm-view.ts';

export const EMPTY_STATUS: FarmStatus = {
  models: [],
  workers: [],
  devices: [],
  backlog: { interactive: 0, bulk: 0 },
  clients: 0,
  cache: { lookups: 0, hits: 0 },
  openRequests: 0,
  webhooksDue: 0,
  admission: {
    texts: 0,
    bytes: 0,
    maxTexts: 1_000,
    maxBytes: 600,
    memory: { usedBytes: 0, maxBytes: 1_000, stopBytes: 600 },
  },
};

const NOTHING_WAITS = { jobs: 0, texts: 0, tokens: 0, oldestMs: undefined, clearSeconds: 0 };
export const EMPTY_WAITING: FarmWaiting = { interactive: NOTHING_WAITS, bulk: NOTHING_WAITS };

const QUIET_LANE = {
  texts: 0,
  tokens: 0,
  failed: 0,
  chunks: 0,
  stages: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0, storeMs: 0 },
  latencyMs: [],
  replyMs: 0,
  replies: 0,
};

/** A minute in which nothing happened, but for what is given. */
export function minuteStats(minute: number, given: Partial<MinuteStats> = {}): MinuteStats {
  return {
    minute,
    lanes: { interactive: QUIET_LANE, bulk: QUIET_LANE },
    failures: {},
    batches: { count: 0, tokens: 0, slotTokens: 0, budgetTokens: 0, fillPercent: [] },
    lengths: { tokens: [], truncated: 0 },
    cache: { lookups: 0, hits: 0 },
    clients: 0,
    ...given,
  };
}

/** A client that does nothing, but for what is given. */
export function clientRow(clientId: string, given: Partial<ClientRow> = {}): ClientRow {
  return {
    clientId,
    name: '',
    host: 'host',
    pid: 1,
    textsPerSecond: 0,
    share: 0,
    inFlightTexts: 0,
    lastSeenMs: 0,
    ...given,
  };
}

/** A request that was submitted just now, but for what is given. */
export function requestRow(requestId: string, given: Partial<RequestRow> = {}): RequestRow {
  return {
    requestId,
    label: undefined,
    model: 'fake',
    lane: 'bulk',
    clientId: 'c',
    state: 'queued',
    texts: 1,
    textsDone: 0,
    textsFailed: 0,
    createdAtMs: 0,
    endedAtMs: undefined,
    etaMs: undefined,
    canCancel: true,
    canRetry: false,
    ...given,
  };
}

/** A second in which nothing happened, but for what is given. */
export function statsPoint(second: number, given: Partial<StatsPoint> = {}): StatsPoint {
  return {
    second,
    texts: 0,
    tokens: 0,
    failed: 0,
    clients: 0,
    backlog: { interactive: 0, bulk: 0 },
    oldestMs: 0,
    busyWorkers: 0,
    workers: {},
    ...given,
  };
}

/** The same as the board knows it. */
export function boardPoint(second: number, given: Partial<BoardPoint> = {}): BoardPoint {
  return statsPoint(second, given);
}

/** A farm made of a status and a list of seconds; a test sets `fault` to take its Redis away. */
export class FakeFarmView implements FarmView {
  farmStatus: FarmStatus = EMPTY_STATUS;
  points: StatsPoint[] = [];
  /** Every read waits for this first: a rejection is a Redis that fails, a pending promise one that hangs. */
  fault: Promise<never> | undefined;
  /** Parts that were put over by hand, by the name of the method that reads them. */
  broken: readonly string[] = [];
  farmWaiting: FarmWaiting = EMPTY_WAITING;
  minuteList: MinuteStats[] = [];
  clientRows: ClientRow[] = [];
  requestRows: RequestRow[] = [];
  failureGroups: FailureGroup[] = [];
  benchCurves: BenchCurve[] = [];
  /** How often each part was read. */
  readonly partReads: Record<string, number> = {};
  samples = 0;
  reads = 0;
  closes = 0;

  async status(): Promise<FarmStatus> {
    this.reads += 1;
    await this.fault;
    return this.farmStatus;
  }

  async series(seconds: number): Promise<StatsPoint[]> {
    await this.fault;
    return this.points.slice(-seconds);
  }

  async sample(): Promise<void> {
    await this.fault;
    this.samples += 1;
  }

  waiting(): Promise<FarmWaiting> {
    return this.#part('waiting', this.farmWaiting);
  }

  minutes(count: number): Promise<MinuteStats[]> {
    return this.#part('minutes', this.minuteList.slice(-count));
  }

  clients(limit: number): Promise<ClientRow[]> {
    return this.#part('clients', this.clientRows.slice(0, limit));
  }

  requests(limit: number): Promise<RequestRow[]> {
    return this.#part('requests', this.requestRows.slice(0, limit));
  }

  failures(): Promise<FailureGroup[]> {
    return this.#part('failures', this.failureGroups);
  }

  curves(): Promise<BenchCurve[]> {
    return this.#part('curves', this.benchCurves);
  }

  async queueMetrics(models: readonly string[]): Promise<string> {
    await this.fault;
    return models.map((model) => `bullmq_job_count{queue="${model}-bulk", state="waiting"} 0\n`).join('');
  }

  async close(): Promise<void> {
    this.closes += 1;
  }

  async #part<Value>(name: string, value: Value): Promise<Value> {
    this.partReads[name] = (this.partReads[name] ?? 0) + 1;
    await this.fault;
    if (this.broken.includes(name)) throw new Error('WRONGTYPE Operation against a key');
    return value;
  }
}
