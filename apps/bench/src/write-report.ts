import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportMarkdown, type BenchReport } from './report.ts';

/** Writes `farm.json` and `farm.md`. @returns the Markdown. */
export async function writeReport(folder: string, report: BenchReport): Promise<string> {
  const markdown = reportMarkdown(report);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'farm.json'), `${JSON.stringify(report, roundNumbers, 2)}\n`);
  await writeFile(join(folder, 'farm.md'), markdown);
  return markdown;
}

/** Six digits say all that a clock can. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
