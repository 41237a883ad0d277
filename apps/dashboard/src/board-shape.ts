import type { BenchCurve } from '@embedfarm/contract';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';
import type { ClientRow, FailureGroup, RequestRow, FarmWaiting } from '@embedfarm/farm/figures';
import type { MinuteStats } from '@embedfarm/farm/figures';
import type { ClientsThroughput } from './throughput-by-clients.ts';

/** One second as the page draws it. */
export type BoardPoint = Pick<
  StatsPoint,
  'second' | 'texts' | 'tokens' | 'failed' | 'clients' | 'backlog' | 'workers'
> & {
  /** Age of the oldest waiting job of any lane; 0 where none waits. */
  readonly oldestMs: number;
};

/**
 * What a viewer is told: at first everything, then each second what has changed. A part that is absent is as it
 * was; `points` and `minutes` are put over those known, by `second` and `minute`.
 */
export interface BoardEvent {
  readonly redis: 'up' | 'down';
  readonly redisSinceMs: number;
  readonly updatedAtMs: number;
  readonly status: FarmStatus | null;
  readonly waiting: FarmWaiting | null;
  readonly points: readonly BoardPoint[];
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
