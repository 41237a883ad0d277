import { writeFiles } from '../write-files.ts';
import { enginePlots } from './engine-plots.ts';
import { engineMarkdown, type EngineReport } from './engine-report.ts';

/** Writes `engine.json`, `engine.md` and the plots. @returns the Markdown. */
export async function writeEngineReport(folder: string, report: EngineReport): Promise<string> {
  const plots = enginePlots(report);
  const markdown = engineMarkdown(report, plots);
  const svgs = Object.fromEntries(plots.map(({ file, svg }) => [file, svg]));
  await writeFiles(folder, { 'engine.json': report, 'engine.md': markdown, ...svgs });
  return markdown;
}
