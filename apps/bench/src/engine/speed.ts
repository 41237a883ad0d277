import type { Shape } from '../bench-model.ts';
import type { RunControl } from '../run-bench.ts';
import type { WorkloadName } from '../sequence-lengths.ts';
import { groupOf, waysOf, type Contender } from './contenders.ts';
import type { Dtype } from './engine-bench-options.ts';
import { interleave } from './interleave.ts';
import { bestOf, ratioOf, type Rates } from './rates.ts';

/** What a section measures with. */
export interface Measuring extends RunControl {
  readonly rounds: number;
  /** Of one measurement. */
  readonly seconds: number;
  readonly seed: number;
}

/** All contenders on a model and a workload. */
export interface SpeedResult {
  readonly shape: Shape;
  readonly workload: WorkloadName;
  readonly tokensPerText: number;
  readonly ways: readonly Rates[];
  readonly ratios: readonly SpeedRatio[];
}

/** Our engine's texts/s ÷ the best of another group, in the same round; the median of the rounds. */
export interface SpeedRatio {
  readonly dtype: Dtype;
  readonly against: string;
  /** The other's best batch size. */
  readonly callTexts: number;
  readonly value: number;
}

export async function measureSpeed(
  contenders: readonly Contender[],
  { shape, workload, tokensPerText }: Pick<SpeedResult, 'shape' | 'workload' | 'tokensPerText'>,
  { rounds, seconds, seed, ...control }: Measuring,
): Promise<SpeedResult> {
  const ways = await interleave(
    contenders.flatMap((contender) => waysOf(contender)),
    { title: `${shape}, ${workload}`, workload: { name: workload, seed }, rounds, seconds },
    control,
  );
  return { shape, workload, tokensPerText, ways, ratios: ratiosOf(contenders, ways) };
}

/** Ours in every dtype against everyone else, and in int8 against ours in fp32. */
function ratiosOf(contenders: readonly Contender[], ways: readonly Rates[]): SpeedRatio[] {
  return contenders
    .filter(({ name }) => name === 'embedfarm')
    .flatMap((ours) => {
      const others = contenders.filter(({ name, dtype }) => dtype !== ours.dtype || name !== 'embedfarm');
      return others
        .filter(({ dtype }) => ours.dtype === 'int8' || dtype === 'fp32')
        .map((other) => ({
          dtype: ours.dtype,
          against: groupOf(other),
          callTexts: bestOf(ways, groupOf(other))?.callTexts ?? Number.NaN,
          value: ratioOf(ways, groupOf(ours), groupOf(other)),
        }));
    });
}
