import type { RunControl } from '../run-bench.ts';
import { measureRounds } from './measure-rounds.ts';
import type { Measured } from './sweep-curve.ts';
import { modelNameOf, withTargetFarm, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

export const LENGTH_SERIES = 'one bulk call';

// Few texts would be a few batches, and the last of them a large part.
const MIN_TEXTS = 32;
const WARM_UP_TOKENS = 10_240;

/** Throughput against the number of tokens in each text: one call of one client, of about as long each. */
export function byLength(target: SweepTarget, control: RunControl): Promise<Measured> {
  const { sizes, seed } = target;
  const model = modelNameOf(target);
  const title = `by-length, ${target.shape}`;
  return withTargetFarm(target, control, async (farm) => {
    control.say(`${title}: warm-up`);
    const sized: { length: number; callTexts: number }[] = [];
    for (const length of sizes.lengths) {
      const texts = target.quick ? MIN_TEXTS : Math.ceil(WARM_UP_TOKENS / length);
      const rate = await warmUp(farm, model, { name: `uniform-${length}`, seed, texts });
      sized.push({ length, callTexts: Math.max(MIN_TEXTS, Math.round(rate * sizes.seconds)) });
    }
    const points = sized.map(({ length, callTexts }) => ({
      series: LENGTH_SERIES,
      x: length,
      measure: () => {
        const workload = { name: `uniform-${length}` as const, seed, texts: callTexts };
        return farm.calls({ model, clients: 1, callTexts, calls: 1, workload });
      },
    }));
    const texts = sized.map(({ length, callTexts }) => `${callTexts} of ${length}`).join(', ');
    return {
      points: await measureRounds(title, points, sizes.rounds, control),
      notes: [`One client, one call; texts of a call by their tokens: ${texts}.`],
    };
  });
}
