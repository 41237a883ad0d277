import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { expect, it } from 'vitest';
import { runFuzz } from './fuzz-run.ts';

checkOpenHandles();

/** The short form; `npm run test:fuzz` has 100,000. Another seed: EMBEDFARM_FUZZ_SEED. */
const CASES = 3_000;
const TIMEOUT_MS = 120_000;
/** Of the long form, on two slow cores. */
const MS_OF_A_CASE = 30;

const seed = Number(process.env['EMBEDFARM_FUZZ_SEED'] ?? 1);
const cases = Number(process.env['EMBEDFARM_FUZZ_CASES'] ?? CASES);

it(
  'whatever is given, or written into Redis by hand, ends in vectors or a typed error, and hurts nobody else',
  async () => {
    const tally = await runFuzz({ seed, cases });
    process.stderr.write(`seed ${seed}\n${[String(tally), ...tally.faults].join('\n')}\n`);
    expect(tally.faults, `seed ${seed}`).toEqual([]);
  },
  TIMEOUT_MS + cases * MS_OF_A_CASE,
);
