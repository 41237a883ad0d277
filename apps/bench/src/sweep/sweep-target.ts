import { basename, join, resolve } from 'node:path';
import { benchModel, type Shape } from '../bench-model.ts';
import { hubModel } from '../engine/hub-model.ts';
import type { RunControl } from '../run-bench.ts';
import type { WorkloadName } from '../sequence-lengths.ts';
import type { WorkloadSpec } from '../workload.ts';
import { SweepFarm } from './sweep-farm.ts';
import type { SweepOptions } from './sweep-options.ts';
import { sweepSizes, type SweepSizes } from './sweep-sizes.ts';
import type { SweepWorkerOptions } from './worker-process.ts';

/** A model that a benchmark measures, and on what. */
export interface SweepTarget {
  readonly shape: string;
  /** Its directory, as the workers take it. */
  readonly model: string;
  readonly redis: string;
  readonly workload: WorkloadName;
  readonly workers: number;
  readonly devices: string;
  readonly seed: number;
  readonly quick: boolean;
  readonly sizes: SweepSizes;
  readonly cacheDir: string;
  /** Another checkout. */
  readonly baseline: string | undefined;
}

/**
 * @param shape of a model with random weights, which is written where it is not there yet; undefined for the one of
 *   `--model`.
 * @param asHubModel as Hugging Face lays it out: weights, of which any layer can be pooled, and an ONNX export.
 */
export async function sweepTarget(
  shape: Shape | undefined,
  { redis, asHubModel }: { redis: string; asHubModel: boolean },
  options: SweepOptions,
  { say }: RunControl,
): Promise<SweepTarget> {
  const { model = '', workload, workers, devices, seed, quick, 'cache-dir': cacheDir } = options;
  if (shape !== undefined) say(`${shape}: writing the model, where it is not there yet`);
  return {
    shape: shape ?? basename(resolve(model)),
    model: shape === undefined ? model : await (asHubModel ? hubModel : benchModel)(shape, cacheDir),
    redis,
    workload,
    workers,
    devices,
    seed,
    quick,
    sizes: sweepSizes(shape ?? 'other', options),
    cacheDir,
    baseline: options.baseline,
  };
}

/** What the target's workers are called in the farm. */
export function modelNameOf({ shape }: Pick<SweepTarget, 'shape'>, part = ''): string {
  return `bench-${shape}${part}`;
}

/** One worker of the target. */
export function workerOf(
  target: SweepTarget,
  options: Partial<Omit<SweepWorkerOptions, 'redis'>> = {},
): Omit<SweepWorkerOptions, 'redis'> {
  const { model, devices, cacheDir } = target;
  return {
    model,
    name: modelNameOf(target),
    devices,
    cacheDir: join(resolve(cacheDir), 'engine'),
    ...options,
  };
}

/** Runs with a farm of as many workers of the target as it says. */
export function withTargetFarm<Result>(
  target: SweepTarget,
  { signal }: RunControl,
  run: (farm: SweepFarm) => Promise<Result>,
): Promise<Result> {
  const workers = Array.from({ length: target.workers }, () => workerOf(target));
  return SweepFarm.with({ redis: target.redis, workers }, signal, run);
}

export function workloadOf({ workload, seed }: SweepTarget, texts: number): WorkloadSpec {
  return { name: workload, seed, texts };
}
