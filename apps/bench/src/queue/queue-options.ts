import { z } from 'zod';
import { count, list, parseFlags, repeatCommand } from '../flags.ts';

export const QUEUE_CASES = ['lanes', 'fairness', 'calls', 'ticks', 'chunks', 'corpus'] as const;
export type QueueCase = (typeof QUEUE_CASES)[number];

export const queueOptionsSchema = z.strictObject({
  /**
   * Some of the cases:
   * - `lanes`: interactive calls beside thousands of bulk chunks;
   * - `fairness`: a light bulk client beside a heavy one;
   * - `calls`: one-text calls, each a job; `ticks`: those of a tick share one; `chunks`: full chunks;
   * - `corpus`: a million texts there and back.
   */
  only: list(QUEUE_CASES).default([...QUEUE_CASES]),

  /** Measured rounds; every number is the median of them. Default: 5; of `lanes` and `fairness` 3; 1 with `quick`. */
  rounds: count(100).optional(),

  /** Of `corpus`. Default: 1,000,000; 2,000 with `quick`. */
  texts: count(100_000_000).optional(),

  /** A few seconds: shows that it works, and measures nothing. */
  quick: z.boolean().default(false),

  /** Folder of `queue.json`, `queue.md` and the plots. */
  out: z.string().min(1).default('docs/benchmarks'),
});
export type QueueBenchOptions = z.output<typeof queueOptionsSchema>;

export const QUEUE_USAGE = `npm run bench -- queue [options]       the way there and back, with a device of a set time

  --only lanes,fairness,calls,ticks,chunks,corpus
  --rounds 5                 measured rounds (of lanes and fairness 3)
  --texts 1000000            of corpus
  --quick                    a few seconds: shows that it works, and measures nothing
  --out docs/benchmarks      folder of queue.json, queue.md and the plots
`;

export function queueCommand(options: QueueBenchOptions): string {
  return repeatCommand(['queue'], queueOptionsSchema, options);
}

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseQueueArgs(args: readonly string[]): QueueBenchOptions | undefined {
  return parseFlags(queueOptionsSchema, args);
}
