import { z } from 'zod';
import { SHAPES } from './bench-model.ts';
import { count, list, parseFlags, repeatCommand } from './flags.ts';
import { WORKLOADS } from './sequence-lengths.ts';

export const benchOptionsSchema = z.strictObject({
  /** Models, by their shape: some of `tiny,minilm,base`. Default: minilm and base; tiny with `quick`. */
  shapes: list(SHAPES).optional(),

  /** Some of `mix,uniform-40`. */
  workloads: list(WORKLOADS).default([...WORKLOADS]),

  /** Measured rounds; every number is the median of them. Default: 5; 2 with `quick`. */
  rounds: count(100).optional(),

  /** Texts of a bulk call. Default: 2,048; 512 for base, which takes ten seconds for them on two cores. */
  'bulk-texts': count(100_000).optional(),

  /** What runs the models, for the engine alone and for the farm's worker: `cpu`, or `cpu:N` for N threads. */
  devices: z.string().min(1).default('cpu'),

  /** Of the workload. */
  seed: z.coerce.number().pipe(z.int().min(0).max(1_000_000)).default(1),

  /** A few seconds instead of ten minutes: shows that it works, and measures nothing. */
  quick: z.boolean().default(false),

  /** Folder of `farm.json` and `farm.md`. */
  out: z.string().min(1).default('docs/benchmarks'),

  /** Where the models are written, once. */
  'cache-dir': z.string().min(1).default('.embedfarm/bench'),
});
export type BenchOptions = z.output<typeof benchOptionsSchema>;

export const BENCH_USAGE = `npm run bench -- [farm] [options]      the engine and the farm under the same load

  --shapes minilm,base       models with random weights; also tiny
  --workloads mix,uniform-40
  --rounds 5                 measured rounds, after a warm-up
  --bulk-texts N             texts of a bulk call (2048; base 512)
  --devices cpu:N            threads of the engine and of the worker (all cores)
  --seed 1                   of the workload
  --quick                    a few seconds: shows that it works, and measures nothing
  --out docs/benchmarks      folder of farm.json and farm.md
  --cache-dir .embedfarm/bench
`;

/** What repeats a run. */
export function benchCommand(options: BenchOptions): string {
  return repeatCommand([], benchOptionsSchema, options);
}

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseBenchArgs(args: readonly string[]): BenchOptions | undefined {
  return parseFlags(benchOptionsSchema, args);
}
