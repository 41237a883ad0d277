import type { BenchCurve } from '@embedfarm/contract';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';
import type { ClientRow, FailureGroup, RequestRow, FarmWaiting } from '@embedfarm/farm/figures';
import type { MinuteStats } from '@embedfarm/farm/figures';
import type { SeenWorker } from './silent-workers.ts';
import type { ClientsThroughput } from './throughput-by-clients.ts';

export type { SeenWorker };

/** One second as the page draws it. `workers` are at most 16. */
export type BoardPoint = StatsPoint;

/** Some seconds in one: means of those that are known, `second` is where they begin. */
export interface ThinPoint extends BoardPoint {
  /** How many are known of it. */
  readonly seconds: number;
  /** The most jobs that waited in one of them, both lanes together. */
  readonly maxBacklog: number;
}

/** The farm without its lists of everything: at most 100 workers and 80 models, and how many there are. */
export interface ShownStatus extends Omit<FarmStatus, 'devices' | 'workers'> {
  readonly allModels: number;
  readonly aliveWorkers: number;
  /** Those of which a device ran in the last seconds. */
  readonly busyWorkers: number;
  /** Those alive, and those that fell silent. */
  readonly allWorkers: number;
  /** The silent ones first, then by host. */
  readonly workers: readonly SeenWorker[];
}

/**
 * What a viewer is told: at first everything, then each second what has changed. A part that is absent is as it
 * was; `points` and `minutes` are put over those known, by `second` and `minute`.
 */
export interface BoardEvent {
  readonly redis: 'up' | 'down';
  readonly redisSinceMs: number;
  readonly updatedAtMs: number;
  readonly status: ShownStatus | null;
  readonly waiting: FarmWaiting | null;
  readonly points: readonly BoardPoint[];
  /** The hour before `points`, where everything is told: it takes the place of all that was known before. */
  readonly older?: readonly ThinPoint[];
  /** Up to the last hour. */
  readonly minutes?: readonly MinuteStats[];
  readonly byClients?: readonly ClientsThroughput[];
  /** The busiest first, at most 200; `status.clients` counts all. */
  readonly clients?: readonly ClientRow[];
  /** Open ones first, then the newest, at most 100. */
  readonly requests?: readonly RequestRow[];
  readonly failures?: readonly FailureGroup[];
  readonly curves?: readonly BenchCurve[];
}

/** GET api/session: what this viewer may do. */
export interface BoardSession {
  /** Whether a key is set; without one anyone who reaches the page may look, and nobody may act. */
  readonly hasKey: boolean;
  readonly canAct: boolean;
  /** Where the page of BullMQ's queues is, relative to this one. */
  readonly queuesPath: string;
}
