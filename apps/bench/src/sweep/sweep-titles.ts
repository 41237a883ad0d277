import type { SweepCurve } from './sweep-curve.ts';
import type { SweepName } from './sweep-names.ts';

/** What a benchmark is called, and what it varies. */
export const SWEEP_TITLES: Readonly<Record<SweepName, { readonly title: string; readonly x: string }>> = {
  'by-clients': { title: 'Throughput by number of clients', x: 'clients' },
  'by-length': { title: 'Throughput by tokens of a text', x: 'tokens per text' },
  'by-batch': { title: 'Throughput by texts of a call', x: 'texts per call' },
  'by-workers': { title: 'Throughput by worker processes', x: 'workers' },
  'by-layer': { title: 'Throughput by pooled layer', x: 'layer from the end' },
  against: { title: 'The farm and transformers.js', x: 'texts per call' },
  'board-cost': { title: 'What the dashboard costs', x: '–' },
};

const MODELS: Readonly<Record<string, string>> = {
  tiny: 'tiny (2 × 128)',
  minilm: 'MiniLM (6 × 384)',
  base: 'BERT-base (12 × 768)',
};

export function modelTitle({ shape }: Pick<SweepCurve, 'shape'>): string {
  return MODELS[shape] ?? shape;
}

/** The model and the terms that tell one curve of a model from another. */
export function curveTitle(curve: SweepCurve): string {
  const { bench, workload, workers, devices } = curve;
  return [
    modelTitle(curve),
    ...(bench === 'by-length' ? [] : [workload]),
    ...(bench === 'by-workers' || workers === 1 ? [] : [`${workers} workers`]),
    `devices ${devices}`,
  ].join(', ');
}
