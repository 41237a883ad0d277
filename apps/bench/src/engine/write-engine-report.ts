import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alignTable, replaceMarkedBlock } from '../marked-block.ts';
import { writeFiles } from '../write-files.ts';
import { enginePlots } from './engine-plots.ts';
import { engineMarkdown, reachTable, speedTable, type EngineReport } from './engine-report.ts';

/**
 * Writes `engine.json`, `engine.md` and the plots, and puts the numbers into the page about them where it lies
 * above the folder: `performance.md`, between its marks.
 *
 * @returns the Markdown.
 */
export async function writeEngineReport(folder: string, report: EngineReport): Promise<string> {
  const plots = enginePlots(report);
  const markdown = engineMarkdown(report, plots);
  const svgs = Object.fromEntries(plots.map(({ file, svg }) => [file, svg]));
  await writeFiles(folder, { 'engine.json': report, 'engine.md': markdown, ...svgs });
  // A quick run has no numbers to show.
  if (!report.quick) await updatePage(join(folder, '../performance.md'), report);
  return markdown;
}

async function updatePage(file: string, report: EngineReport): Promise<void> {
  const page = await readFile(file, 'utf8').catch(() => undefined);
  if (page === undefined) return;
  const tables = {
    'engine.md, reach': reachTable(report.reach),
    'engine.md, speed': speedTable(report.speed),
  };
  let updated = page;
  for (const [name, table] of Object.entries(tables)) {
    if (table?.startsWith('|')) updated = replaceMarkedBlock(updated, name, alignTable(table));
  }
  if (updated !== page) await writeFile(file, updated);
}
