import { describe, expect, it } from 'vitest';
import type { FailureRow } from './failure-row.ts';
import { failureTable, runLine, summarizeRow } from './failure-report.ts';
import { parseFailureArgs } from './failure-options.ts';
import type { FailureRun } from './run-row.ts';
import { Tally } from './tally.ts';
import { checkRows } from './check-rows.ts';
import { textsOf } from './texts-of.ts';
import { identityVector } from '@embedfarm/testkit/timed-encoder';

const row: FailureRow = {
  name: 'some-event',
  event: 'something dies',
  promise: 'nothing is lost',
  maxRecoveryMs: 2_000,
  runs: 2,
  run: async () => undefined,
};
const run = (seed: number, recoveryMs: number, lost = 0): FailureRun => ({
  row: row.name,
  run: seed - 1,
  seed,
  counts: { lost, duplicated: 0, misordered: 0, hung: 0, wrong: 0 },
  recoveryMs,
  texts: 10,
  seconds: 3,
  facts: [],
  notes: lost === 0 ? [] : [`lost ${lost}: the call`],
});

describe('what is told of runs', () => {
  it('adds up counts, and takes median and maximum of the recoveries', () => {
    const summary = summarizeRow(row, [run(1, 500), run(2, 1_500), run(3, 700)]);
    expect(summary).toMatchObject({
      runs: 3,
      texts: 30,
      medianRecoveryMs: 700,
      maxRecoveryMs: 1_500,
      isKept: true,
    });
    expect(failureTable([summary])).toContain(
      '| something dies | 3 | 0 | 0 | 0 | 0 | 0 | 0.70 | 1.50 | 2 | yes |',
    );
  });

  it('a promise is broken by one text, and by a recovery that is too slow', () => {
    expect(summarizeRow(row, [run(1, 500), run(2, 500, 1)]).isKept).toBe(false);
    expect(summarizeRow(row, [run(1, 500), run(2, 2_001)]).isKept).toBe(false);
  });

  it('a run that fails says what differs', () => {
    expect(runLine(run(7, 500, 3), 20)).toBe(
      'some-event 7/20, seed 7: lost 3, back after 0.50 s, 3.0 s\n    lost 3: the call',
    );
  });
});

describe('the counts of a run', () => {
  const texts = textsOf({ tag: 'a', texts: 4 });
  const right = texts.map((text) => Float32Array.from(identityVector(text, 20)));
  const rowsOf = (rows: readonly (Float32Array | undefined)[]) => ({
    rows: rows.length,
    at: (index: number) => rows[index],
  });

  it('tell lost, misordered and wrong vectors apart', () => {
    const [first, second, third] = right;
    expect(checkRows(texts, rowsOf(right))).toEqual({ lost: 0, misordered: 0, wrong: 0 });
    const spoilt = third?.with(5, 1);
    expect(checkRows(texts, rowsOf([second, first, spoilt]))).toEqual({
      lost: 1,
      misordered: 2,
      wrong: 1,
    });
  });

  it('hold rows that are too many, texts counted twice, and calls that failed', async () => {
    const tally = new Tally();
    await tally.vectors('first', texts, Promise.resolve(rowsOf([...right, right[0]])));
    await tally.vectors('second', texts, Promise.reject(new Error('gone')));
    tally.mayBeCounted(2);
    tally.checkCounted(7);
    expect(tally.counts).toEqual({ lost: 4, duplicated: 2, misordered: 0, hung: 0, wrong: 0 });
  });

  it('have the time from the event to the first result after it', () => {
    const tally = new Tally();
    tally.heard();
    expect(tally.recoveryMs).toBeUndefined();
    tally.startClock();
    tally.heard();
    const { recoveryMs } = tally;
    expect(recoveryMs).toBeGreaterThanOrEqual(0);
    tally.heard();
    expect(tally.recoveryMs).toBe(recoveryMs);
  });
});

it('a row that there is not is refused by its name', () => {
  expect(() => parseFailureArgs(['--only', 'worker-killed,nothing'])).toThrow(
    'must be some of worker-killed,',
  );
  expect(parseFailureArgs(['--only', 'redis', '--runs', '2'])).toMatchObject({ only: ['redis'], runs: 2 });
});
