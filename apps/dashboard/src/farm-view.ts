import type { Inspector } from '@embedfarm/farm/inspect';

/** What the board asks of the farm; an Inspector is one. */
export type FarmView = Pick<Inspector, 'status' | 'waiting' | 'series' | 'sample' | 'queueMetrics' | 'close'>;
