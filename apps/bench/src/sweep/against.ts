import { installRival } from '../engine/install-rival.ts';
import type { ContenderCalls } from '../engine/contender-calls.ts';
import { digits } from '../markdown-table.ts';
import { MeasuredProcess } from '../measured-process.ts';
import { median } from '../percentile.ts';
import type { RunControl } from '../run-bench.ts';
import { measureRounds, type PlannedPoint } from './measure-rounds.ts';
import type { Measured, MeasuredPoint, PointLoad } from './sweep-curve.ts';
import type { SweepFarm } from './sweep-farm.ts';
import { modelNameOf, withTargetFarm, workloadOf, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

export const FARM_SERIES = 'embedfarm, through the farm';
export const RIVAL_SERIES = 'transformers.js, in process';

/** It has no default, and batches as it is told: the best of these counts. */
const RIVAL_BATCHES = [1, 8, 32] as const;
const MIN_TEXTS = 64;

/** The farm with one bulk client beside transformers.js in a process: the same weights, texts and cores, in turn. */
export function against(target: SweepTarget, control: RunControl): Promise<Measured> {
  return withTargetFarm(target, control, async (farm) => {
    // A quick run installs nothing.
    if (target.quick) return measure(target, control, farm, undefined);
    const { library, versions } = await installRival(target.cacheDir, control.say);
    const options = { library, model: target.model, dtype: 'fp32' } as const;
    const rival = await MeasuredProcess.open('engine/rival', options, control.signal);
    try {
      return { ...(await measure(target, control, farm, rival)), versions };
    } finally {
      await rival.close();
    }
  });
}

async function measure(
  target: SweepTarget,
  control: RunControl,
  farm: SweepFarm,
  rival: MeasuredProcess<ContenderCalls> | undefined,
): Promise<Measured> {
  const { sizes } = target;
  const model = modelNameOf(target);
  const title = `against, ${target.shape}`;
  control.say(`${title}: warm-up`);
  const rate = await warmUp(farm, model, workloadOf(target, sizes.bulkTexts));
  const texts = Math.max(MIN_TEXTS, Math.round((rate * sizes.seconds) / MIN_TEXTS) * MIN_TEXTS);
  const workload = workloadOf(target, texts);
  const ways: PlannedPoint[] = [];
  let tokens = 0;
  if (rival !== undefined) {
    for (const callTexts of RIVAL_BATCHES) {
      await rival.call('measure', { load: { workload: { ...workload, texts: MIN_TEXTS }, callTexts } });
      ways.push({
        series: RIVAL_SERIES,
        x: callTexts,
        measure: async () => {
          const load = { workload, callTexts };
          const { seconds, cpuSeconds } = await rival.call('measure', { load });
          return rivalLoad({ seconds, texts, tokens, cpuSeconds });
        },
      });
    }
  }
  const ours: PlannedPoint = {
    series: FARM_SERIES,
    x: texts,
    measure: async () => {
      const load = await farm.calls({ model, clients: 1, callTexts: texts, calls: 1, workload });
      ({ tokens } = load);
      return load;
    },
  };
  const points = await measureRounds(title, [ours, ...ways], sizes.rounds, control);
  const ratio = ratioToBest(points);
  return {
    points,
    notes: [
      ...(Number.isNaN(ratio)
        ? []
        : [`The farm ÷ the best of transformers.js, in the same round: ${digits(ratio)}.`]),
      `${texts} texts: through the farm as one call, in process in calls of 1, 8 and 32, of which the best counts. ` +
        'Mean pooling and normalization in both, float32; each has all cores, with its own default threads, while the other is idle.',
    ],
  };
}

/** Within each round, then the median; NaN without the other. */
function ratioToBest(points: readonly MeasuredPoint[]): number {
  const ours = points.find(({ series }) => series === FARM_SERIES)?.rounds ?? [];
  const others = points.filter(({ series }) => series === RIVAL_SERIES);
  const ratios = ours.map(({ textsPerSecond }, round) => {
    const best = Math.max(...others.map(({ rounds }) => rounds[round]?.textsPerSecond ?? Number.NaN));
    return others.length === 0 ? Number.NaN : textsPerSecond / best;
  });
  return median(ratios);
}

/** The texts are the same, so their tokens are. */
function rivalLoad(load: { seconds: number; texts: number; tokens: number; cpuSeconds: number }): PointLoad {
  const { seconds, texts, tokens, cpuSeconds } = load;
  return {
    seconds,
    texts,
    tokens,
    textsPerSecond: texts / seconds,
    tokensPerSecond: tokens / seconds,
    cpuSeconds: { 'transformers.js': cpuSeconds },
  };
}
