import { parseArgs } from 'node:util';
import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';
import { SHAPES } from './bench-model.ts';
import { WORKLOADS } from './sequence-lengths.ts';

const list = <Item extends string>(items: readonly [Item, ...Item[]]) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(items)).min(1));
const count = (most: number) => z.coerce.number().pipe(z.int().min(1).max(most));

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

export const BENCH_USAGE = `npm run bench -- [options]

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

/** What repeats a run, without the folders, which are each machine's own. */
export function benchCommand(options: BenchOptions): string {
  const { out: _out, 'cache-dir': _cacheDir, ...others } = options;
  const defaults: Partial<BenchOptions> = benchOptionsSchema.parse({});
  const flags = Object.entries(others)
    .filter(([name, value]) => String(value) !== String(defaults[name as keyof BenchOptions]))
    .map(([name, value]) => (value === true ? `--${name}` : `--${name} ${String(value)}`));
  return ['npm run bench', ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}

const STRING = { type: 'string' } as const;

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseBenchArgs(args: readonly string[]): BenchOptions | undefined {
  const { help, ...values } = parseFlags(args);
  if (help === true) return undefined;
  return parseOptions('bench flags', benchOptionsSchema, values);
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        shapes: STRING,
        workloads: STRING,
        rounds: STRING,
        'bulk-texts': STRING,
        devices: STRING,
        seed: STRING,
        quick: { type: 'boolean' },
        out: STRING,
        'cache-dir': STRING,
        help: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw new FarmError('invalid_argument', (cause as Error).message, { cause });
  }
}
