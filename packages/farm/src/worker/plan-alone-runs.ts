/** Texts `from` up to `to` of a chunk. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/** A range that is run by itself, or, being one text that has killed too often, not any more. */
export interface AloneRun extends TextRange {
  readonly isGivenUp: boolean;
}

/**
 * A range that killed its process is divided into so many. A death costs the lock's time and a start of
 * the worker, a run that passes costs one batch: 16 parts find a text among 256 within two deaths, halves
 * within eight.
 */
const PARTS = 16;
/**
 * A text that was run by itself so often, and whose process died each time, is given up. Not the second
 * time: whoever kills workers from outside may meet the same text twice.
 */
export const MAX_LONE_DEATHS = 3;

/**
 * How the texts of a suspect are run, one range after the other, so that a death shows who is guilty.
 *
 * @param texts  number of texts of the chunk.
 * @param deaths ranges that were running when their process died, one for each death. A range that is
 *               no part of this plan says nothing.
 * @returns ranges that cover the chunk, the smallest first: they are the most suspicious, and the rest
 *          need not run again where they kill.
 */
export function planAloneRuns(texts: number, deaths: readonly TextRange[]): AloneRun[] {
  const counts = new Map<string, number>();
  for (const range of deaths) counts.set(nameOf(range), (counts.get(nameOf(range)) ?? 0) + 1);
  const runsOf = (range: TextRange): AloneRun[] => {
    const count = counts.get(nameOf(range)) ?? 0;
    if (sizeOf(range) === 1) return [{ ...range, isGivenUp: count >= MAX_LONE_DEATHS }];
    return count === 0 ? [{ ...range, isGivenUp: false }] : divide(range).flatMap(runsOf);
  };
  return runsOf({ from: 0, to: texts }).toSorted((a, b) => sizeOf(a) - sizeOf(b) || a.from - b.from);
}

function divide({ from, to }: TextRange): TextRange[] {
  const size = Math.ceil((to - from) / PARTS);
  return Array.from({ length: Math.ceil((to - from) / size) }, (_, part) => ({
    from: from + part * size,
    to: Math.min(from + (part + 1) * size, to),
  }));
}

function sizeOf({ from, to }: TextRange): number {
  return to - from;
}

function nameOf({ from, to }: TextRange): string {
  return `${from}-${to}`;
}
