/** What can be varied, one benchmark each. */
export const SWEEPS = [
  'by-clients',
  'by-length',
  'by-batch',
  'by-workers',
  'by-layer',
  'against',
  'board-cost',
] as const;
export type SweepName = (typeof SWEEPS)[number];
