import { linePlot, type Stroke } from '../plot/line-plot.ts';
import type { Curve } from './curves.ts';
import type { EngineMeasurements } from './engine-report.ts';
import { FARM_GROUP } from './farm-curve.ts';

/** A plot, as a file beside the report. */
export interface EnginePlot {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

const MODELS = { tiny: 'tiny (2 × 128)', minilm: 'MiniLM (6 × 384)', base: 'BERT-base (12 × 768)' } as const;

/** One plot for every model and scale that was measured. */
export function enginePlots({
  lengths,
  batches,
  farm,
}: Pick<EngineMeasurements, 'lengths' | 'batches' | 'farm'>): EnginePlot[] {
  return [
    ...plotsOf(lengths, 'engine-lengths', 'by sequence length', 'tokens per text'),
    ...plotsOf(
      [...batches, ...farm],
      'engine-batches',
      'by texts per call',
      'texts per call, 40 tokens each (client_batch_size)',
    ),
  ];
}

function plotsOf(curves: readonly Curve[], name: string, what: string, xTitle: string): EnginePlot[] {
  const shapes = new Set(curves.map(({ shape }) => shape));
  return [...shapes].map((shape) => {
    const title = `${MODELS[shape]}, ${what}`;
    const series = curves
      .filter((curve) => curve.shape === shape)
      .map(({ group, points }) => ({
        label: group,
        tone: group.startsWith('embedfarm') ? ('own' as const) : ('other' as const),
        stroke: strokeOf(group),
        points: points.map(({ at, textsPerSecond }) => [at, textsPerSecond] as const),
      }));
    const svg = linePlot({ title, xTitle, yTitle: 'texts per second', series });
    return { file: `${name}-${shape}.svg`, title, svg };
  });
}

/** fp32 is drawn through, int8 is dashed, the way through Redis is dotted. */
function strokeOf(group: string): Stroke {
  if (group === FARM_GROUP) return 'dotted';
  return group.endsWith('fp32') ? 'solid' : 'dashed';
}
