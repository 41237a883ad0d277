import type { DeviceWork } from '../device-work.ts';
import type { PerClient } from '../load-result.ts';
import type { Setting } from '../machine.ts';
import { medianTree } from '../median-tree.ts';
import type { Latency } from '../percentile.ts';
import type { Comparison } from './compare-curves.ts';
import type { SweepName } from './sweep-names.ts';

/** What a load came to in one round. */
export interface PointLoad {
  readonly seconds: number;
  readonly texts: number;
  readonly tokens: number;
  readonly textsPerSecond: number;
  readonly tokensPerSecond: number;
  /** By part of what was measured; a part that cannot be asked is missing. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** Of all workers. */
  readonly work?: DeviceWork;
  /** Of the calls. */
  readonly latency?: Latency;
  readonly perClient?: PerClient;
}

/** One place on a line: what was varied there, and each round. */
export interface MeasuredPoint {
  /** Points of one series are one line, as `one text a call`. */
  readonly series: string;
  readonly x: number;
  readonly rounds: readonly PointLoad[];
}

/** What a benchmark gives: lines, and what has to be said of them. */
export interface Measured {
  readonly points: readonly MeasuredPoint[];
  readonly notes: readonly string[];
  /** Versions of what it ran beside ours. */
  readonly versions?: Readonly<Record<string, string>>;
}

/** The terms of a measurement: another one under the same terms takes its place. */
export interface CurveTerms {
  readonly bench: SweepName;
  /** `minilm`, or the name of a model's directory. */
  readonly shape: string;
  readonly workload: string;
  readonly workers: number;
  readonly devices: string;
}

/** A benchmark of one model, measured. */
export interface SweepCurve extends CurveTerms, Omit<Measured, 'versions'> {
  readonly seed: number;
  readonly rounds: number;
  /** Too short to measure anything. */
  readonly quick: boolean;
  readonly minutes: number;
  readonly setting: Setting;
  /** The run before under the same terms. */
  readonly before?: Comparison;
}

/** All of a benchmark: the JSON file, with the curves of earlier runs that had other terms. */
export interface SweepReport {
  readonly bench: SweepName;
  readonly curves: readonly SweepCurve[];
}

export function termsKey({ bench, shape, workload, workers, devices }: CurveTerms): string {
  return JSON.stringify([bench, shape, workload, workers, devices]);
}

/** Every number as the median over the rounds. */
export function medianLoad({ rounds }: MeasuredPoint): PointLoad {
  return medianTree(rounds);
}

/** The points of a line, by rising x. */
export function pointsOf({ points }: Pick<Measured, 'points'>, series: string): MeasuredPoint[] {
  return points.filter((point) => point.series === series).toSorted((a, b) => a.x - b.x);
}
