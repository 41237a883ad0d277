import { medianLoad, termsKey, type SweepCurve } from './sweep-curve.ts';

/** A curve beside the one that was measured before under the same terms. */
export interface Comparison {
  readonly date: string;
  readonly commit: string;
  /** What else is not as it was, for a reader to judge the ratios by: machine, versions, seed, rounds. */
  readonly differences: readonly string[];
  /** texts/s now ÷ before, of the points that were measured both times. */
  readonly ratios: readonly { readonly series: string; readonly x: number; readonly ratio: number }[];
}

/** @returns undefined where there is none to compare with. */
export function compareCurves(now: SweepCurve, earlier: readonly SweepCurve[]): Comparison | undefined {
  const before = earlier.find((curve) => termsKey(curve) === termsKey(now));
  if (before === undefined) return undefined;
  const ratios = now.points.flatMap((point) => {
    const { series, x } = point;
    const other = before.points.find((one) => one.series === series && one.x === x);
    if (other === undefined) return [];
    return [{ series, x, ratio: medianLoad(point).textsPerSecond / medianLoad(other).textsPerSecond }];
  });
  const { date, commit } = before.setting;
  return { date, commit, differences: differencesOf(now, before), ratios };
}

function differencesOf(now: SweepCurve, before: SweepCurve): string[] {
  const facts = (curve: SweepCurve): Record<string, string | number | boolean> => ({
    ...curve.setting.machine,
    ...curve.setting.versions,
    seed: curve.seed,
    rounds: curve.rounds,
    quick: curve.quick,
  });
  const [own, other] = [facts(now), facts(before)];
  return [...new Set([...Object.keys(other), ...Object.keys(own)])]
    .filter((name) => own[name] !== other[name])
    .map(
      (name) => `${name} was ${String(other[name] ?? 'not there')}, is ${String(own[name] ?? 'not there')}`,
    );
}
