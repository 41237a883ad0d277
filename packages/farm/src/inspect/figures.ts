export type { ClientRow, FailureGroup, FarmWaiting, LaneWaiting, RequestRow } from './farm-figures.ts';
export type { Histogram, LaneMinute, MinuteStats, StageTimes } from '../stats/minute-stats.ts';
