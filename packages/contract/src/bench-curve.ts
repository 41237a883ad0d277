import { z } from 'zod';

/** What a benchmark varied. */
export const BENCH_CURVES = ['by-clients', 'by-length', 'by-batch', 'by-workers', 'by-layer'] as const;

/** One measured curve of a benchmark, kept in Redis so that a page can draw it beside what happens now. */
export const benchCurveSchema = z.object({
  curve: z.enum(BENCH_CURVES),
  /** Model and texts, as `minilm` and `uniform-40`. */
  shape: z.string().min(1).max(200),
  workload: z.string().min(1).max(200),
  /** Worker processes, and devices of each. */
  workers: z.int().min(1),
  devices: z.string().max(200),
  /** As `AMD EPYC, 2 cores, 24 GiB`. */
  machine: z.string().max(500),
  commit: z.string().max(100),
  /** ISO 8601. */
  measuredAt: z.iso.datetime(),
  /** Medians over the rounds, by rising `x`: clients, tokens of a text, texts of a call, workers, or layers. */
  points: z
    .array(
      z.object({
        x: z.number().positive(),
        textsPerSecond: z.number().min(0),
        tokensPerSecond: z.number().min(0),
      }),
    )
    .min(1)
    .max(100),
});
export type BenchCurve = z.output<typeof benchCurveSchema>;
