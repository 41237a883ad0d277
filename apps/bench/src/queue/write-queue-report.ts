import { writeFiles } from '../write-files.ts';
import { queuePlots } from './queue-plots.ts';
import { queueMarkdown, type QueueReport } from './queue-report.ts';

/** Writes `queue.json`, `queue.md` and the plots. @returns the Markdown. */
export async function writeQueueReport(folder: string, report: QueueReport): Promise<string> {
  const plots = queuePlots(report);
  const markdown = queueMarkdown(report, plots);
  const svgs = Object.fromEntries(plots.map(({ file, svg }) => [file, svg]));
  await writeFiles(folder, { 'queue.json': report, 'queue.md': markdown, ...svgs });
  return markdown;
}
