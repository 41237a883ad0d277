import { BENCH_CURVES, type BenchCurve } from '@embedfarm/contract';
import { WORKERS_SERIES } from './by-workers.ts';
import { BATCH_SERIES } from './by-batch.ts';
import { ONE_TEXT } from './by-clients.ts';
import { LAYER_SERIES } from './by-layer.ts';
import { LENGTH_SERIES } from './by-length.ts';
import { medianLoad, pointsOf, type SweepCurve } from './sweep-curve.ts';

/** Which of its lines a page draws. */
const DRAWN: Record<BenchCurve['curve'], string> = {
  'by-clients': ONE_TEXT,
  'by-length': LENGTH_SERIES,
  'by-batch': BATCH_SERIES,
  'by-workers': WORKERS_SERIES,
  'by-layer': LAYER_SERIES,
};

/** The curve as a farm keeps it for its page; undefined where it keeps none of the kind. */
export function benchCurveOf(curve: SweepCurve): BenchCurve | undefined {
  const name = BENCH_CURVES.find((one) => one === curve.bench);
  if (name === undefined) return undefined;
  const { machine, commit, date } = curve.setting;
  return {
    curve: name,
    shape: curve.shape,
    workload: curve.workload,
    workers: curve.workers,
    devices: curve.devices,
    machine: `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    commit,
    measuredAt: date,
    points: pointsOf(curve, DRAWN[name]).map((point) => {
      const { textsPerSecond, tokensPerSecond } = medianLoad(point);
      return { x: point.x, textsPerSecond, tokensPerSecond };
    }),
  };
}
