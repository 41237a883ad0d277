import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { describe, expect, it } from 'vitest';
import { ALL_ROWS } from './all-rows.ts';
import { runLine } from './failure-report.ts';
import { runRow, SHORT_RUN } from './run-row.ts';

checkOpenHandles();

const SEED = 1;
/** Its own processes and Redis each; they mostly wait. */
const TIMEOUT_MS = 120_000;

const NOTHING = { lost: 0, duplicated: 0, misordered: 0, hung: 0, wrong: 0 };

// Each row once, small. `npm run test:failure` runs them as long and as often as it is promised.
describe.concurrent('the farm keeps what it promises', () => {
  for (const row of ALL_ROWS) {
    it(
      `${row.event}: ${row.promise}`,
      async () => {
        const run = await runRow(row, { run: 0, seed: SEED, size: SHORT_RUN });
        process.stderr.write(`${runLine(run, 1)}\n`);
        expect(run.counts, run.notes.join('\n')).toEqual(NOTHING);
      },
      TIMEOUT_MS,
    );
  }
});
