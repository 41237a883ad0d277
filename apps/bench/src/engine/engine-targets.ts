import { atLeast, atMost, type Reach } from '../reach.ts';
import type { EngineMeasurements } from './engine-report.ts';
import type { SpeedResult } from './speed.ts';

/** What the engine is to reach, with the model and the workload that it is asked of. */
export interface EngineReach extends Reach {
  readonly shape: string;
  readonly workload: string;
}

/** texts/s of our engine ÷ those of transformers.js at its best batch size, both in fp32. */
const MIN_FP32 = { 'minilm mix': 2, 'base mix': 1.5, 'minilm uniform-40': 1.1, 'base uniform-40': 0.95 };
/** On the mix, whatever the model. */
const MIN_INT8_OVER_FP32 = 4;
const MIN_INT8_OVER_Q8 = 1.6;
const MIN_TWO_THREADS = { minilm: 1.8 };
const MIN_PEAK_SHARE = 0.65;
const MAX_SECOND_DEVICE_MIB = { base: 50 };
/** A straight line through the second half of a soak. */
const MAX_SOAK_RISE_MIB = 10;

const MIB = 2 ** 20;

/** One line for each target that was measured. What tiny costs is overhead alone: nothing is promised of it. */
export function engineReach({ speed, threads, peak, memory, soak }: EngineMeasurements): EngineReach[] {
  return [
    ...speed.flatMap(speedReach),
    ...threads.flatMap(({ shape, ratio }) => {
      const limit = limitOf(MIN_TWO_THREADS, shape);
      return on(shape, 'mix', limit, (least) => atLeast('two devices ÷ one, texts/s, fp32', ratio, least));
    }),
    ...peak.flatMap(({ shape, share }) =>
      on(shape, 'mix', shape === 'tiny' ? undefined : MIN_PEAK_SHARE, (least) =>
        atLeast('useful FLOPs ÷ the machine’s fastest MatMul, fp32', share, least),
      ),
    ),
    ...memory.flatMap(({ shape, added }) =>
      on(shape, 'mix', limitOf(MAX_SECOND_DEVICE_MIB, shape), (most) =>
        atMost('MiB that a second device adds, fp32', added.proportionalBytes / MIB, most),
      ),
    ),
    ...soak.flatMap(({ shape, minutes, riseMib }) =>
      on(shape, 'mix', shape === 'tiny' ? undefined : MAX_SOAK_RISE_MIB, (most) =>
        atMost(`MiB more in the second half of ${minutes} minutes`, riseMib, most),
      ),
    ),
  ];
}

function speedReach({ shape, workload, ratios }: SpeedResult): EngineReach[] {
  return ratios.flatMap(({ dtype, against, value }) => {
    const what = `embedfarm ${dtype} ÷ ${against}, texts/s`;
    const limit = minRatio(`${shape} ${workload}`, dtype, against);
    return on(shape, workload, limit, (least) => atLeast(what, value, least));
  });
}

function minRatio(of: string, dtype: string, against: string): number | undefined {
  if (dtype === 'fp32') return limitOf(MIN_FP32, of);
  if (!/^(minilm|base) mix$/.test(of)) return undefined;
  if (against === 'transformers.js fp32') return MIN_INT8_OVER_FP32;
  return against === 'transformers.js q8' ? MIN_INT8_OVER_Q8 : undefined;
}

function limitOf(limits: Readonly<Record<string, number>>, of: string): number | undefined {
  return limits[of];
}

function on(
  shape: string,
  workload: string,
  limit: number | undefined,
  judge: (limit: number) => Reach,
): EngineReach[] {
  return limit === undefined ? [] : [{ shape, workload, ...judge(limit) }];
}
