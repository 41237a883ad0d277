import { writeFiles } from '../write-files.ts';
import { besideBertAsService } from './beside-bert-as-service.ts';
import { readSweepReport } from './read-sweep-report.ts';
import type { SweepReport } from './sweep-curve.ts';
import { SWEEPS } from './sweep-names.ts';
import { sweepMarkdown } from './sweep-markdown.ts';
import { sweepPlots } from './sweep-plots.ts';

/**
 * Writes a benchmark's JSON, tables and plots, and the page that sets all of the folder's benchmarks beside
 * bert-as-service.
 *
 * @returns the Markdown.
 */
export async function writeSweepReport(folder: string, report: SweepReport): Promise<string> {
  const plots = sweepPlots(report);
  const markdown = sweepMarkdown(report, plots);
  const svgs = Object.fromEntries(plots.map(({ file, svg }) => [file, svg]));
  await writeFiles(folder, { [`${report.bench}.json`]: report, [`${report.bench}.md`]: markdown, ...svgs });
  const reports = await Promise.all(SWEEPS.map((bench) => readSweepReport(folder, bench, () => undefined)));
  await writeFiles(folder, { 'bert-as-service.md': besideBertAsService(reports) });
  return markdown;
}
