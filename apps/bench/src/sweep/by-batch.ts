import type { RunControl } from '../run-bench.ts';
import { measureRounds } from './measure-rounds.ts';
import type { Measured } from './sweep-curve.ts';
import { modelNameOf, withTargetFarm, workloadOf, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

export const BATCH_SERIES = 'one client';

// A call of 4,096 texts takes BERT-base minutes on two cores, and says what one of 512 does.
const MAX_CALL_SECONDS = 30;

/** Throughput of one client against the texts of its calls, one call after another. */
export function byBatch(target: SweepTarget, control: RunControl): Promise<Measured> {
  const { sizes } = target;
  const model = modelNameOf(target);
  const title = `by-batch, ${target.shape}`;
  return withTargetFarm(target, control, async (farm) => {
    control.say(`${title}: warm-up`);
    const rate = await warmUp(farm, model, workloadOf(target, sizes.bulkTexts));
    const isShort = (callTexts: number): boolean => callTexts <= rate * MAX_CALL_SECONDS;
    const points = sizes.callTexts.filter(isShort).map((callTexts) => ({
      series: BATCH_SERIES,
      x: callTexts,
      measure: () => {
        const calls = Math.max(1, Math.round((rate * sizes.seconds) / callTexts));
        return farm.calls({ model, clients: 1, callTexts, calls, workload: workloadOf(target, callTexts) });
      },
    }));
    const leftOut = sizes.callTexts.filter((callTexts) => !isShort(callTexts));
    return {
      points: await measureRounds(title, points, sizes.rounds, control),
      notes:
        leftOut.length === 0
          ? []
          : [`Not measured, as one call takes more than ${MAX_CALL_SECONDS} s: ${leftOut.join(', ')} texts.`],
    };
  });
}
