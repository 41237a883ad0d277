import { MeasuredProcess } from '../measured-process.ts';
import type { ContenderCalls } from './contender-calls.ts';
import type { Dtype } from './engine-bench-options.ts';
import type { Way } from './interleave.ts';
import type { OursProcessOptions } from './ours-process.ts';

export type ContenderName = 'embedfarm' | 'transformers.js';

/** An encoder in a process of its own. */
export interface Contender {
  readonly name: ContenderName;
  readonly dtype: Dtype;
  readonly process: MeasuredProcess<ContenderCalls>;
}

export interface ContendersOptions {
  /** As Hugging Face lays it out: `hubModel`. */
  readonly model: string;
  readonly dtypes: readonly Dtype[];
  readonly devices: string;
  readonly cacheDir: string;
  /** The module of transformers.js; undefined where our engine runs alone. */
  readonly library: string | undefined;
}

/** Batch sizes of transformers.js, of which the best counts. It has no default, and batches as it is told. */
const RIVAL_BATCHES = [1, 8, 32] as const;

/** Our engine and transformers.js in every dtype. Nothing is left running when one does not open. */
export async function openContenders(options: ContendersOptions, signal: AbortSignal): Promise<Contender[]> {
  const { model, dtypes, devices, cacheDir, library } = options;
  const contenders: Contender[] = [];
  try {
    for (const dtype of dtypes) {
      const process = await openOurs({ model, devices, cacheDir }, dtype, signal);
      contenders.push({ name: 'embedfarm', dtype, process });
      if (library === undefined) continue;
      const rivalOptions = { library, model, dtype: dtype === 'fp32' ? 'fp32' : 'q8' } as const;
      const rival = await MeasuredProcess.open('engine/rival', rivalOptions, signal);
      contenders.push({ name: 'transformers.js', dtype, process: rival });
    }
    return contenders;
  } catch (thrown) {
    await closeContenders(contenders);
    throw thrown;
  }
}

export function openOurs(
  options: Omit<OursProcessOptions, 'dtype'>,
  dtype: Dtype,
  signal: AbortSignal,
): Promise<MeasuredProcess<ContenderCalls>> {
  const long = dtype === 'fp32' ? 'float32' : 'int8';
  return MeasuredProcess.open('engine/ours', { ...options, dtype: long }, signal);
}

export async function closeContenders(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(contenders.map(({ process }) => process.close()));
}

/** What a group of ways is called. */
export function groupOf({ name, dtype }: Pick<Contender, 'name' | 'dtype'>): string {
  return `${name} ${name === 'embedfarm' || dtype === 'fp32' ? dtype : 'q8'}`;
}

/**
 * Every way to give texts to a contender. Our engine takes a call of any size and makes its own batches;
 * transformers.js runs a call as one batch, so its calls are of each batch size that is not more than
 * `callTexts`, and of `callTexts` where that is less than its largest.
 */
export function waysOf(contender: Contender, callTexts?: number): Way[] {
  const group = groupOf(contender);
  const { process } = contender;
  if (contender.name === 'embedfarm') return [{ key: group, group, process, callTexts }];
  const most = callTexts ?? Number.POSITIVE_INFINITY;
  const sizes = new Set<number>(RIVAL_BATCHES.filter((size) => size <= most));
  if (most < Math.max(...RIVAL_BATCHES)) sizes.add(most);
  return [...sizes].map((size) => ({ key: `${group} b${size}`, group, process, callTexts: size }));
}
