import { z } from 'zod';
import { SHAPES } from '../bench-model.ts';
import { count, list, parseFlags, repeatCommand } from '../flags.ts';
import { WORKLOADS } from '../sequence-lengths.ts';

const SECTIONS = ['speed', 'lengths', 'batches', 'farm', 'threads', 'peak', 'memory'] as const;
export type Section = (typeof SECTIONS)[number];

export const DTYPES = ['fp32', 'int8'] as const;
export type Dtype = (typeof DTYPES)[number];

export const engineBenchOptionsSchema = z.strictObject({
  /** Models, by their shape: some of `tiny,minilm,base`. Default: minilm and base; tiny with `quick`. */
  shapes: list(SHAPES).optional(),

  /** Some of `mix,uniform-40`: what `speed` encodes. */
  workloads: list(WORKLOADS).default([...WORKLOADS]),

  /** Some of `fp32,int8`; transformers.js's int8 is its q8. */
  dtypes: list(DTYPES).default([...DTYPES]),

  /**
   * What is measured:
   * - `speed`: texts/s against transformers.js;
   * - `lengths`, `batches`: texts/s by sequence length, and by texts per call (of the first shape);
   * - `farm`: texts per call once more, through Redis and a worker in fp32 (of the first shape);
   * - `threads`: two devices against one; `peak`: useful work against the machine's products of matrices;
   * - `memory`: what a second device takes (of the largest shape).
   */
  sections: list(SECTIONS).default([...SECTIONS]),

  /** Measured rounds; every number is the median of them. Default: 5; 2 with `quick`. */
  rounds: count(100).optional(),

  /** Length of one measurement. Default: 2.5, for base 4; 0.1 with `quick`. */
  seconds: z.coerce.number().pipe(z.number().min(0.01).max(600)).optional(),

  /** Minutes of texts of random lengths with an eye on memory; 0 leaves it out. */
  'soak-minutes': z.coerce.number().pipe(z.number().min(0).max(1_440)).default(0),

  /** Our engine alone: nothing is installed, and no target against transformers.js is judged. */
  alone: z.boolean().default(false),

  /** What runs our engine: `cpu`, or `cpu:N` for N threads. transformers.js has its own default. */
  devices: z.string().min(1).default('cpu'),

  /** Of the workloads. */
  seed: z.coerce.number().pipe(z.int().min(0).max(1_000_000)).default(1),

  /** A few seconds, alone: shows that it works, and measures nothing. */
  quick: z.boolean().default(false),

  /** Folder of `engine.json`, `engine.md` and the plots. */
  out: z.string().min(1).default('docs/benchmarks'),

  /** Where the models are written and transformers.js is installed, once. */
  'cache-dir': z.string().min(1).default('.embedfarm/bench'),
});
export type EngineBenchOptions = z.output<typeof engineBenchOptionsSchema>;

export const ENGINE_BENCH_USAGE = `npm run bench -- engine [options]      the engine and transformers.js with the same weights

  --shapes minilm,base       models with random weights; also tiny
  --workloads mix,uniform-40
  --dtypes fp32,int8
  --sections speed,lengths,batches,farm,threads,peak,memory
  --rounds 5                 measured rounds, after a warm-up
  --seconds N                of one measurement (2.5; base 4)
  --soak-minutes 0           texts of random lengths, with an eye on memory
  --alone                    without transformers.js
  --devices cpu:N            threads of the engine (all cores)
  --seed 1                   of the workloads
  --quick                    a few seconds, alone: shows that it works, and measures nothing
  --out docs/benchmarks      folder of engine.json, engine.md and the plots
  --cache-dir .embedfarm/bench
`;

export function engineBenchCommand(options: EngineBenchOptions): string {
  return repeatCommand(['engine'], engineBenchOptionsSchema, options);
}

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseEngineBenchArgs(args: readonly string[]): EngineBenchOptions | undefined {
  return parseFlags(engineBenchOptionsSchema, args);
}
