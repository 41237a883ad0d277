import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SWEEPS, type SweepName } from './sweep-names.ts';
import type { SweepReport } from './sweep-curve.ts';

const settingSchema = z.looseObject({
  machine: z.looseObject({ cpu: z.string(), cores: z.number(), memoryGiB: z.number() }),
  versions: z.record(z.string(), z.string()),
  commit: z.string(),
  command: z.string(),
  date: z.string(),
});

const loadSchema = z.looseObject({
  seconds: z.number(),
  texts: z.number(),
  textsPerSecond: z.number(),
  tokensPerSecond: z.number(),
  cpuSeconds: z.record(z.string(), z.number()),
});

/** What a reader of the file relies on; all else is as it was written. */
const reportSchema = z.looseObject({
  bench: z.enum(SWEEPS),
  curves: z.array(
    z.looseObject({
      bench: z.enum(SWEEPS),
      shape: z.string(),
      workload: z.string(),
      workers: z.number(),
      devices: z.string(),
      setting: settingSchema,
      notes: z.array(z.string()),
      points: z.array(
        z.looseObject({ series: z.string(), x: z.number(), rounds: z.array(loadSchema).min(1) }),
      ),
    }),
  ),
});

/** What an earlier run has written; an empty report where there is none, or what is there is none. */
export async function readSweepReport(
  folder: string,
  bench: SweepName,
  say: (line: string) => void,
): Promise<SweepReport> {
  const none = { bench, curves: [] };
  const file = join(folder, `${bench}.json`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return none;
  try {
    return reportSchema.parse(JSON.parse(text)) as unknown as SweepReport;
  } catch {
    say(`${bench}: ${file} is no report of an earlier run, and is replaced`);
    return none;
  }
}
