import type { BenchCurve } from '@embedfarm/contract';
import type { ClientRow, FailureGroup, FarmWaiting, MinuteStats, RequestRow } from '@embedfarm/farm/figures';
import type { FarmStatus, StatsPoint } from '@embedfarm/farm/inspect';

/** What the board asks of the farm; an Inspector is one. Each reads a few keys, whatever the farm holds. */
export interface FarmView {
  status(): Promise<FarmStatus>;
  /** One point a second, oldest first, up to the last whole second. */
  series(seconds: number): Promise<StatsPoint[]>;
  sample(): Promise<void>;
  waiting(): Promise<FarmWaiting>;
  /** The last so many minutes, oldest first. */
  minutes(count: number): Promise<MinuteStats[]>;
  /** The busiest first. */
  clients(limit: number): Promise<ClientRow[]>;
  /** Open ones first, then the newest. */
  requests(limit: number): Promise<RequestRow[]>;
  failures(): Promise<FailureGroup[]>;
  curves(): Promise<BenchCurve[]>;
  queueMetrics(models: readonly string[]): Promise<string>;
  close(): Promise<void>;
}
