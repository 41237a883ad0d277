import { FarmError } from '@embedfarm/contract';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { FailureFarm } from './failure-farm.ts';
import type { FailureRow, RunPlan } from './failure-row.ts';
import { Tally, type Counts } from './tally.ts';

/** What decides the size of a run; all else is the seed's. */
export interface RunSize {
  readonly texts: number;
  readonly outageMs: number;
  readonly stallMs: number;
}

/** As the promises are written. */
export const LONG_RUN: RunSize = { texts: 10_000, outageMs: 10_000, stallMs: 8_000 };
/** As far as `npm test` can wait: still longer than a lock of 5 s. */
export const SHORT_RUN: RunSize = { texts: 2_000, outageMs: 7_000, stallMs: 6_500 };

/** One run of a row, as it stands in failure.json. */
export interface FailureRun {
  readonly row: string;
  readonly run: number;
  readonly seed: number;
  readonly counts: Counts;
  /** From the event, or from Redis being back, to the first result after it; undefined where nothing recovers. */
  readonly recoveryMs: number | undefined;
  readonly texts: number;
  readonly seconds: number;
  readonly facts: readonly string[];
  readonly notes: readonly string[];
}

/** Runs a row once, with processes and a Redis of its own, which are gone after it. */
export async function runRow(
  row: FailureRow,
  { run, seed, size }: { run: number; seed: number; size: RunSize },
): Promise<FailureRun> {
  const startedAt = performance.now();
  const tally = new Tally();
  const farm = await FailureFarm.open();
  try {
    await row.run(farm, planOf(seed, size), tally);
    await farm.atRest();
    tally.checkCounted(await farm.countedTexts());
  } catch (thrown) {
    tally.add('hung', 1, `the run broke off: ${FarmError.from(thrown).message}`);
  } finally {
    await farm.close();
  }
  return {
    row: row.name,
    run,
    seed,
    counts: tally.counts,
    recoveryMs: tally.recoveryMs,
    texts: tally.texts,
    seconds: (performance.now() - startedAt) / 1000,
    facts: tally.facts,
    notes: tally.notes,
  };
}

export function isClean({ counts }: FailureRun): boolean {
  return Object.values(counts).every((count) => count === 0);
}

function planOf(seed: number, size: RunSize): RunPlan {
  const random = seededRandom(seed);
  return {
    form: Math.max(0, seed - 1),
    tag: `run ${seed}`,
    ...size,
    between: (from, to) => from + random() * (to - from),
  };
}
