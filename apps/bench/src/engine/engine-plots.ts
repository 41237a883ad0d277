import { linePlot } from '../plot/line-plot.ts';
import type { Curve } from './curves.ts';
import type { EngineMeasurements } from './engine-report.ts';

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
}: Pick<EngineMeasurements, 'lengths' | 'batches'>): EnginePlot[] {
  return [
    ...plotsOf(lengths, 'engine-lengths', 'by sequence length', 'tokens per text'),
    ...plotsOf(
      batches,
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
        isDashed: !group.endsWith('fp32'),
        points: points.map(({ at, textsPerSecond }) => [at, textsPerSecond] as const),
      }));
    const svg = linePlot({ title, xTitle, yTitle: 'texts per second', series });
    return { file: `${name}-${shape}.svg`, title, svg };
  });
}
