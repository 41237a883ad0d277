import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { writeWhole } from '../model/write-whole.ts';

/**
 * The least cosine between the int8 and the float32 vector of every probe text. all-MiniLM-L6-v2 has 0.9925 at
 * worst (a text of one word) and 0.9984 on average, with weights of 7 bits 0.9881 and 0.9963; its rank
 * correlation on the STS-B test is 0.8203 in float32, 0.8192 and 0.8207 in these.
 */
const MIN_COSINE = 0.98;

// Rounding may take it a little beyond 1.
const cosine = z.number().min(-1.001).max(1.001);
const verdictSchema = z.object({
  format: z.literal(1),
  texts: z.int().min(1),
  minCosine: cosine,
  meanCosine: cosine,
});

/** How near the vectors of an int8 graph are to those of float32. */
export type Int8Verdict = z.output<typeof verdictSchema>;

const VERDICT_FILE = 'int8-check.json';

export function verdictOf(cosines: readonly number[]): Int8Verdict {
  return {
    format: 1,
    texts: cosines.length,
    minCosine: Math.min(...cosines),
    meanCosine: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
  };
}

/** @throws FarmError `invalid_argument` with the measured cosine where it is too low, or no number. */
export function requireGood(model: string, { minCosine, meanCosine, texts }: Int8Verdict): void {
  if (minCosine >= MIN_COSINE) return;
  throw new FarmError(
    'invalid_argument',
    `dtype int8 does not suit ${model}: of ${texts} probe texts the vector farthest from float32 has the cosine ` +
      `${minCosine.toFixed(4)} (mean ${meanCosine.toFixed(4)}), at least ${MIN_COSINE} is needed; use float32`,
  );
}

/** @returns undefined where the directory's graph was never compared. */
export async function readVerdict(directory: string): Promise<Int8Verdict | undefined> {
  try {
    return verdictSchema.parse(JSON.parse(await readFile(join(directory, VERDICT_FILE), 'utf8')));
  } catch {
    return undefined;
  }
}

export async function writeVerdict(directory: string, verdict: Int8Verdict): Promise<void> {
  await writeWhole(join(directory, VERDICT_FILE), `${JSON.stringify(verdict, null, 2)}\n`);
}
