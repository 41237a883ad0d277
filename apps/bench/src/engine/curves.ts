import type { Shape } from '../bench-model.ts';
import { median } from '../percentile.ts';
import { groupOf, waysOf, type Contender } from './contenders.ts';
import { interleave } from './interleave.ts';
import { bestOf } from './rates.ts';
import type { Measuring } from './speed.ts';

/** Texts/s along a scale, for each group of ways. */
export interface Curve {
  readonly shape: Shape;
  readonly group: string;
  readonly points: readonly CurvePoint[];
}

export interface CurvePoint {
  /** Tokens per text, or texts per call. */
  readonly at: number;
  readonly textsPerSecond: number;
  /** Of the way that was best. */
  readonly callTexts: number;
}

// The scales of bert-as-service's own README.
export const LENGTHS = [16, 32, 64, 128, 256, 512] as const;
export const CALL_TEXTS = [1, 4, 16, 64, 256, 1_024, 4_096] as const;
export const CALL_TOKENS = 40;

/** One call longer than this is left out. */
export const MAX_CALL_SECONDS = 30;

/** By sequence length: every text of a measurement has the same. */
export async function measureLengths(
  contenders: readonly Contender[],
  shape: Shape,
  lengths: readonly number[],
  { rounds, seconds, seed, ...control }: Measuring,
): Promise<Curve[]> {
  const points = new Map<string, CurvePoint[]>();
  for (const length of lengths) {
    const rates = await interleave(
      contenders.flatMap((contender) => waysOf(contender)),
      {
        title: `${shape}, ${length} tokens`,
        workload: { name: `uniform-${length}`, seed },
        rounds,
        seconds,
      },
      control,
    );
    for (const contender of contenders)
      addPoint(points, length, groupOf(contender), bestOf(rates, groupOf(contender)));
  }
  return curvesOf(shape, points);
}

/** By texts per call, 40 tokens each; transformers.js gets a large call in its best batch size. */
export async function measureBatches(
  contenders: readonly Contender[],
  shape: Shape,
  sizes: readonly number[],
  { rounds, seconds, seed, ...control }: Measuring,
): Promise<Curve[]> {
  const points = new Map<string, CurvePoint[]>();
  for (const size of sizes) {
    const fitting = contenders.filter((contender) => {
      const last = points.get(groupOf(contender))?.at(-1);
      return last === undefined || size / last.textsPerSecond <= MAX_CALL_SECONDS;
    });
    const rates = await interleave(
      fitting.flatMap((contender) => waysOf(contender, size)),
      {
        title: `${shape}, calls of ${size}`,
        workload: { name: `uniform-${CALL_TOKENS}`, seed },
        rounds,
        seconds,
      },
      control,
    );
    for (const contender of fitting)
      addPoint(points, size, groupOf(contender), bestOf(rates, groupOf(contender)));
  }
  return curvesOf(shape, points);
}

function addPoint(
  points: Map<string, CurvePoint[]>,
  at: number,
  group: string,
  best: ReturnType<typeof bestOf>,
): void {
  if (best === undefined) return;
  const point = { at, textsPerSecond: median(best.rates), callTexts: best.callTexts };
  points.set(group, [...(points.get(group) ?? []), point]);
}

function curvesOf(shape: Shape, points: ReadonlyMap<string, readonly CurvePoint[]>): Curve[] {
  return [...points].map(([group, of]) => ({ shape, group, points: of }));
}
