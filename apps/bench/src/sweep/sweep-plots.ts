import { linePlot, type LinePlot, type Stroke } from '../plot/line-plot.ts';
import { RIVAL_SERIES } from './against.ts';
import { BULK } from './by-clients.ts';
import { medianLoad, pointsOf, type SweepCurve, type SweepReport } from './sweep-curve.ts';
import { curveTitle, modelTitle, SWEEP_TITLES } from './sweep-titles.ts';

/** A plot, as a file beside the report. */
export interface SweepPlot {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
  /** What it shows. */
  readonly curve: SweepCurve;
}

const STROKES: readonly Stroke[] = ['solid', 'dashed', 'dotted'];

/** One plot for every curve that has lines. */
export function sweepPlots({ bench, curves }: SweepReport): SweepPlot[] {
  if (bench === 'board-cost') return [];
  return curves.map((curve) => {
    const title = `${SWEEP_TITLES[bench].title}, ${modelTitle(curve)}`;
    return { file: fileOf(curve), title, svg: linePlot(plotOf(curve, title)), curve };
  });
}

function plotOf(curve: SweepCurve, title: string): LinePlot {
  const names = [...new Set(curve.points.map(({ series }) => series))];
  const xs = curve.points.map(({ x }) => x);
  const ends = [Math.min(...xs), Math.max(...xs)];
  return {
    title,
    xTitle: SWEEP_TITLES[curve.bench].x,
    yTitle: 'texts per second, in all',
    series: names.map((series, index) => {
      const points = pointsOf(curve, series).map(
        (point) => [point.x, medianLoad(point).textsPerSecond] as const,
      );
      const [only] = points;
      // What is measured at one place is a level that others are seen against.
      const isLevel = series === BULK || (points.length === 1 && names.length > 1);
      return {
        label: series,
        tone: series === RIVAL_SERIES || series === BULK ? 'other' : 'own',
        stroke: STROKES[index % STROKES.length] ?? 'solid',
        points: isLevel && only ? ends.map((x) => [x, only[1]] as const) : points,
      };
    }),
  };
}

/** Only what is not as by default is in the name. */
function fileOf(curve: SweepCurve): string {
  const { bench, shape, workload, workers, devices } = curve;
  const usual = workload === 'uniform-40' && workers === 1 && devices === 'cpu';
  const name = usual ? `${bench}-${shape}` : `${bench}-${curveTitle(curve)}`;
  return `${name.replaceAll(/[^\w.-]+/g, '-')}.svg`;
}
