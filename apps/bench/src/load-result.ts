import { FarmError } from '@embedfarm/contract';
import type { DeviceWork } from './device-work.ts';
import type { LoopDelay } from './loop-delay.ts';
import type { Usage } from './meter.ts';
import type { Latency } from './percentile.ts';

/** What a target did under a load. */
export interface LoadResult {
  readonly seconds: number;
  readonly texts: number;
  readonly tokens: number;
  readonly textsPerSecond: number;
  readonly tokensPerSecond: number;
  /** By part of the target. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** Of the process with the engine. */
  readonly loopDelay: LoopDelay;
  readonly work: DeviceWork;
}

export interface LoopResult extends LoadResult {
  readonly clients: number;
  readonly latency: Latency;
  readonly perClient: PerClient;
}

/** Texts/s of the slowest, the middle and the fastest client. */
export interface PerClient {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @param usage of the process with the engine. */
export function loadResult(
  load: { seconds: number; texts: number; tokens: number },
  usage: Usage,
  cpuSeconds: Readonly<Record<string, number>>,
): LoadResult {
  if (usage.work === undefined) throw new FarmError('internal', 'the process told nothing of its devices');
  return {
    ...load,
    textsPerSecond: load.texts / load.seconds,
    tokensPerSecond: load.tokens / load.seconds,
    cpuSeconds,
    loopDelay: usage.loopDelay,
    work: usage.work,
  };
}
