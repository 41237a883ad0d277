import type { BenchCurve } from './bench-curve.ts';

/** Against the fewest workers that were measured, taken to be ideal. */
export function speedUp(
  curve: BenchCurve | undefined,
): readonly (readonly [workers: number, times: number])[] {
  const [first] = curve?.points ?? [];
  if (!curve || !first || first.textsPerSecond === 0) return [];
  const ofOne = first.textsPerSecond / first.x;
  return curve.points.map(({ x, textsPerSecond }) => [x, textsPerSecond / ofOne]);
}
