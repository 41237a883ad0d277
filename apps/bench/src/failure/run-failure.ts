import { readFile, writeFile } from 'node:fs/promises';
import { FarmError } from '@embedfarm/contract';
import { callRedis } from '@embedfarm/testkit/call-redis';
import { openTestRedis } from '@embedfarm/testkit/redis';
import { readSetting } from '../machine.ts';
import { alignTable, replaceMarkedBlock } from '../marked-block.ts';
import type { RunControl } from '../run-bench.ts';
import { writeFiles } from '../write-files.ts';
import { ALL_ROWS } from './all-rows.ts';
import { failureCommand, type FailureOptions } from './failure-options.ts';
import { failureTable, runLine, summarizeRow, type FailureReport } from './failure-report.ts';
import type { FailureRow } from './failure-row.ts';
import { isClean, LONG_RUN, runRow, SHORT_RUN, type FailureRun, type RunSize } from './run-row.ts';

const LIBRARIES = ['bullmq', 'ioredis'];

/**
 * Every row, as often as it says, one run after the other. Writes `failure.json` and the page's table.
 *
 * @returns the table.
 * @throws FarmError `internal` when a promise was not kept, after everything is written.
 */
export async function runFailure(options: FailureOptions, control: RunControl): Promise<string> {
  const { only, seed, out, page } = options;
  const size = options.short ? SHORT_RUN : LONG_RUN;
  const rows = ALL_ROWS.filter(
    ({ name }) => only === undefined || only.some((start) => name.startsWith(start)),
  );
  const planned = rows.flatMap((row) =>
    Array.from({ length: options.runs ?? row.runs }, (_, run) => ({
      row,
      run,
      of: options.runs ?? row.runs,
    })),
  );
  const runs = await runAll(planned, options['at-once'], { seed, size }, control);
  const summaries = rows.map((row) =>
    summarizeRow(
      row,
      runs.filter((run) => run.row === row.name),
    ),
  );
  const versions = { redis: await redisVersion() };
  const setting = await readSetting(failureCommand(options), LIBRARIES, versions);
  const report: FailureReport = { ...setting, size, seed, rows: summaries, runs };
  const table = failureTable(summaries);
  await writeFiles(out, { 'failure.json': report });
  await writeBlock(page, table);
  const broken = summaries.filter(({ isKept }) => !isKept);
  if (broken.length === 0) return `${table}\n`;
  control.say(table);
  throw new FarmError('internal', `not kept: ${broken.map(({ name }) => name).join(', ')}`);
}

interface PlannedRun {
  readonly row: FailureRow;
  readonly run: number;
  /** Runs of the row. */
  readonly of: number;
}

/** In their order, some at the same time. The first run of each row has `seed`, the next the next. */
async function runAll(
  planned: readonly PlannedRun[],
  atOnce: number,
  { seed, size }: { seed: number; size: RunSize },
  { signal, say }: RunControl,
): Promise<FailureRun[]> {
  const runs: FailureRun[] = [];
  const left = planned.entries();
  const work = async (): Promise<void> => {
    for (const [place, { row, run, of }] of left) {
      if (signal.aborted) throw new FarmError('cancelled', 'stopped');
      const ended = await runRow(row, { run, seed: seed + run, size });
      say(runLine(ended, of));
      if (!isClean(ended)) {
        say(`    again: npm run test:failure -- --only ${row.name} --runs 1 --seed ${ended.seed}`);
      }
      runs[place] = ended;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return runs;
}

async function writeBlock(page: string, table: string): Promise<void> {
  const text = await readFile(page, 'utf8').catch(() => '');
  if (text !== '') await writeFile(page, replaceMarkedBlock(text, 'failure.json', alignTable(table)));
}

async function redisVersion(): Promise<string> {
  const redis = await openTestRedis();
  try {
    const info = String(await callRedis(redis.url, 'INFO', 'server'));
    return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
  } finally {
    await redis.close();
  }
}
