import type { FarmWaiting } from '@embedfarm/farm/figures';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';
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
    workers: {},
    ...given,
  };
}

/** A farm made of a status and a list of seconds; a test sets `fault` to take its Redis away. */
export class FakeFarmView implements FarmView {
  farmStatus: FarmStatus = EMPTY_STATUS;
  farmWaiting: FarmWaiting = EMPTY_WAITING;
  points: StatsPoint[] = [];
  /** Every read waits for this first: a rejection is a Redis that fails, a pending promise one that hangs. */
  fault: Promise<never> | undefined;
  samples = 0;
  reads = 0;
  closes = 0;

  async status(): Promise<FarmStatus> {
    this.reads += 1;
    await this.fault;
    return this.farmStatus;
  }

  async waiting(): Promise<FarmWaiting> {
    await this.fault;
    return this.farmWaiting;
  }

  async series(seconds: number): Promise<StatsPoint[]> {
    await this.fault;
    return this.points.slice(-seconds);
  }

  async sample(): Promise<void> {
    await this.fault;
    this.samples += 1;
  }

  async queueMetrics(models: readonly string[]): Promise<string> {
    await this.fault;
    return models.map((model) => `bullmq_job_count{queue="${model}-bulk", state="waiting"} 0\n`).join('');
  }

  async close(): Promise<void> {
    this.closes += 1;
  }
}
