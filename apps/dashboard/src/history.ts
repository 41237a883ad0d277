/** What Redis keeps per second, and so the longest the board can know. */
export const HISTORY_SECONDS = 3_600;

/**
 * Seconds read again on every update: a worker may record a finished chunk a moment
 * after its second has ended, and a slow update must leave no hole.
 */
const REREAD_SECONDS = 5;

/**
 * How many seconds to read now, so that memory and Redis agree again.
 *
 * @param lastReadMs when the last read began; undefined before the first one.
 */
export function secondsToRead(lastReadMs: number | undefined, nowMs: number): number {
  if (lastReadMs === undefined || nowMs < lastReadMs) return HISTORY_SECONDS;
  return Math.min(HISTORY_SECONDS, Math.ceil((nowMs - lastReadMs) / 1_000) + REREAD_SECONDS);
}

/**
 * The known seconds with the fresh ones put over them, oldest first, at most {@link HISTORY_SECONDS}.
 * Known seconds after the newest fresh one go: Redis' clock was set back, and its word counts.
 */
export function mergeHistory<Point extends { readonly second: number }>(
  known: readonly Point[],
  fresh: readonly Point[],
): readonly Point[] {
  const first = fresh[0];
  const last = fresh.at(-1);
  if (first === undefined || last === undefined) return known;
  const oldest = last.second - HISTORY_SECONDS;
  return [...known.filter(({ second }) => second < first.second && second > oldest), ...fresh];
}
