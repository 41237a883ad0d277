import type { FarmWaiting } from '@embedfarm/farm/figures';
import type { FarmStatus } from '@embedfarm/farm/inspect';
import type { BoardParts } from './board-parts.ts';
import type { BoardPoint } from './board-shape.ts';
import type { SeenWorker } from './silent-workers.ts';

/** The farm as the board saw it last. Viewers share it; none of them reads Redis. */
export interface BoardState {
  /** Whether the last update reached Redis. While `down`, the rest is what was known before. */
  readonly redis: 'up' | 'down';
  /** When `redis` last changed; this machine's clock. */
  readonly redisSinceMs: number;
  readonly updatedAtMs: number;
  /** Updates so far. */
  readonly update: number;
  /** Those alive, and those that fell silent in the last minutes. */
  readonly workers: readonly SeenWorker[];
  /** Undefined until Redis has answered once. */
  readonly status: FarmStatus | undefined;
  /** Undefined where it could not be read. */
  readonly waiting: FarmWaiting | undefined;
  /** One entry a second, oldest first, up to an hour. */
  readonly history: readonly BoardPoint[];
  /** The end of `history` that the last update brought or changed. */
  readonly fresh: readonly BoardPoint[];
  readonly parts: BoardParts;
}

export function blankBoardState(nowMs: number): BoardState {
  return {
    redis: 'down',
    redisSinceMs: nowMs,
    updatedAtMs: nowMs,
    update: 0,
    workers: [],
    status: undefined,
    waiting: undefined,
    history: [],
    fresh: [],
    parts: {},
  };
}
