import { z } from 'zod';
import { count, parseFlags, repeatCommand } from '../flags.ts';
import { ALL_ROWS } from './all-rows.ts';

export const failureOptionsSchema = z.strictObject({
  /** Runs of each row. Default: what the row says, 20 for the worst. */
  runs: count(1_000).optional(),

  /** Rows to run, by the beginnings of their names, with commas between. Default: all. */
  only: z
    .string()
    .transform((text) => text.split(','))
    .refine((names) => names.every((name) => ALL_ROWS.some((row) => row.name.startsWith(name))), {
      error: `must be some of ${ALL_ROWS.map(({ name }) => name).join(', ')}`,
    })
    .optional(),

  /** Of the first run of each row; the next runs have the next ones. */
  seed: z.coerce.number().pipe(z.int().min(0).max(1_000_000_000)).default(1),

  /** Runs at the same time, each with a Redis and processes of its own: they mostly wait. */
  'at-once': count(16).default(1),

  /** The sizes of `npm test`. */
  short: z.boolean().default(false),

  /** Folder of `failure.json`. */
  out: z.string().min(1).default('docs/benchmarks'),

  /** The page whose marked block is written anew. */
  page: z.string().min(1).default('docs/failure.md'),
});
export type FailureOptions = z.output<typeof failureOptionsSchema>;

export const FAILURE_USAGE = `npm run test:failure -- [options]          what dies, is cut off or stands still, and what comes of it

  --only NAME,NAME           rows, by the beginnings of their names (all): ${ALL_ROWS.map(({ name }) => name).join(', ')}
  --runs N                   runs of each row (20 for kills, fewer for the others)
  --seed 1                   of the first run; a failing run prints its own
  --at-once 1                runs at the same time: quicker, and recoveries take longer where cores are few
  --short                    the sizes of npm test
  --out docs/benchmarks      folder of failure.json
  --page docs/failure.md     page whose table is written anew
`;

/** What repeats a run. */
export function failureCommand(options: FailureOptions): string {
  const { page: _, ...flags } = options;
  return repeatCommand(['failure'], failureOptionsSchema, flags as FailureOptions);
}

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseFailureArgs(args: readonly string[]): FailureOptions | undefined {
  return parseFlags(failureOptionsSchema, args);
}
