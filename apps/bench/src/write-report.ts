import { reportMarkdown, type BenchReport } from './report.ts';
import { writeFiles } from './write-files.ts';

/** Writes `farm.json` and `farm.md`. @returns the Markdown. */
export async function writeReport(folder: string, report: BenchReport): Promise<string> {
  const markdown = reportMarkdown(report);
  await writeFiles(folder, { 'farm.json': report, 'farm.md': markdown });
  return markdown;
}
