import type { FarmWaiting } from '@embedfarm/farm/figures';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';
import type { ClientsThroughput } from './throughput-by-clients.ts';

/** The farm as the board saw it last. Viewers share it; none of them reads Redis. */
export interface BoardState {
  /** Whether the last update reached Redis. While `down`, the rest is what was known before. */
  readonly redis: 'up' | 'down';
  /** When `redis` last changed; this machine's clock. */
  readonly redisSinceMs: number;
  readonly updatedAtMs: number;
  /** Undefined until Redis has answered once. */
  readonly status: FarmStatus | undefined;
  readonly waiting: FarmWaiting | undefined;
  /** One entry a second, oldest first, up to an hour. */
  readonly history: readonly StatsPoint[];
  /** The end of `history` that the last update brought or changed. */
  readonly fresh: readonly StatsPoint[];
  readonly byClients: readonly ClientsThroughput[];
}

export function blankBoardState(nowMs: number): BoardState {
  return {
    redis: 'down',
    redisSinceMs: nowMs,
    updatedAtMs: nowMs,
    status: undefined,
    waiting: undefined,
    history: [],
    fresh: [],
    byClients: [],
  };
}
