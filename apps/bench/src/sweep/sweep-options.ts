import { z } from 'zod';
import { SHAPES } from '../bench-model.ts';
import { count, list, parseFlags, repeatCommand } from '../flags.ts';
import { WORKLOADS } from '../sequence-lengths.ts';
import type { SweepName } from './sweep-names.ts';

export const sweepOptionsSchema = z.strictObject({
  /** Models with random weights, by their shape: some of `tiny,minilm,base`. Default: by benchmark; tiny with `quick`. */
  shape: list(SHAPES).optional(),

  /** Directory of a model to measure instead. */
  model: z.string().min(1).optional(),

  /** Texts, where their length is not what varies. */
  workload: z.enum(WORKLOADS).default('uniform-40'),

  /** Worker processes, where their number is not what varies. */
  workers: count(64).default(1),

  /** What runs the model in each of them: as `embedfarm worker --devices`. */
  devices: z.string().min(1).default('cpu'),

  /** Measured rounds; every number is the median of them. Default: 3; 1 with `quick`. */
  rounds: count(100).optional(),

  /** Length of one measurement, about. Default: by shape. */
  seconds: z.coerce.number().pipe(z.number().min(0.05).max(600)).optional(),

  /** Of the workload. */
  seed: z.coerce.number().pipe(z.int().min(0).max(1_000_000)).default(1),

  /** Folder of the results. Default: `docs/benchmarks`; with `quick` `.embedfarm/bench/quick`. */
  out: z.string().min(1).optional(),

  /** Redis of a farm to measure through, which keeps the curves for its page. Default: one of the bench's own. */
  redis: z.url({ protocol: /^rediss?$/ }).optional(),

  /** Redis of a farm that only keeps the curves. */
  'store-in': z.url({ protocol: /^rediss?$/ }).optional(),

  /** Another checkout, built: `board-cost` gives its worker the load in turn with this one's. */
  baseline: z.string().min(1).optional(),

  /** No curve is kept in Redis. */
  'no-store': z.boolean().default(false),

  /** What the folder has of this commit and these terms is not measured again. */
  resume: z.boolean().default(false),

  /** A few seconds: shows that it works, and measures nothing. */
  quick: z.boolean().default(false),

  /** Where the models are written and transformers.js is installed, once. */
  'cache-dir': z.string().min(1).default('.embedfarm/bench'),
});
export type SweepOptions = z.output<typeof sweepOptionsSchema>;

export const SWEEP_USAGE = `npm run bench -- NAME [options]         the whole farm: Redis, worker processes, client processes

  by-clients                 1 to 128 clients, each in a process up to 32
  by-length                  texts of 20 to 320 tokens
  by-batch                   calls of 1 to 4096 texts (client_batch_size)
  by-workers                 1, 2 and 4 worker processes
  by-layer                   pooling layer -1 to the first
  against                    transformers.js in process, the same files and texts
  board-cost                 what the dashboard with three viewers costs, and where CPU seconds go
  all                        all of them, one after another

  --shape minilm,base        models with random weights; also tiny (by benchmark)
  --model DIR                a model of your own instead
  --workload uniform-40      or mix
  --workers 1                worker processes
  --devices cpu              of each worker
  --rounds 3                 measured rounds, in turn
  --seconds N                of one measurement (minilm 3, base 6)
  --seed 1                   of the texts
  --out docs/benchmarks      folder of NAME.json, NAME.md and the plots
  --redis URL                measure through this farm's Redis, and keep the curves in it for its page
  --store-in URL             measure through a Redis of the bench's own, and keep the curves in that farm's
  --baseline DIR             board-cost: another checkout, built; its worker in turn with this one's
  --no-store                 keep no curve in Redis
  --resume                   leave out what --out has of this commit and these terms
  --quick                    a few seconds: shows that it works, and measures nothing
  --cache-dir .embedfarm/bench
`;

/** What repeats a run. Addresses and folders are each machine's own. */
export function sweepCommand(name: SweepName, options: SweepOptions): string {
  const {
    redis: _redis,
    'store-in': _store,
    model: _model,
    baseline: _base,
    resume: _resume,
    ...told
  } = options;
  return repeatCommand([name], sweepOptionsSchema, told as SweepOptions);
}

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseSweepArgs(args: readonly string[]): SweepOptions | undefined {
  return parseFlags(sweepOptionsSchema, args);
}

export function outFolder({ out, quick }: Pick<SweepOptions, 'out' | 'quick'>): string {
  return out ?? (quick ? '.embedfarm/bench/quick' : 'docs/benchmarks');
}
