import type { RunControl } from '../run-bench.ts';
import type { MeasuredPoint, PointLoad } from './sweep-curve.ts';

/** A point that is to be measured, once a round. */
export interface PlannedPoint {
  readonly series: string;
  readonly x: number;
  measure(): Promise<PointLoad>;
}

/**
 * Rounds of one measurement each, in turn; every other round goes backwards, so that what drifts meets all alike. Tells
 * what runs and about how long it will take.
 *
 * @throws what a measurement failed with; the signal's reason on abort.
 */
export async function measureRounds(
  title: string,
  points: readonly PlannedPoint[],
  rounds: number,
  { signal, say }: RunControl,
): Promise<MeasuredPoint[]> {
  const measured = points.map(({ series, x }) => ({
    series,
    x,
    rounds: [] as PointLoad[],
    tookMs: Number.NaN,
  }));
  const total = points.length * rounds;
  let done = 0;
  const beganMs = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    const order = points.map((_, index) => index);
    for (const index of round % 2 === 1 ? order : order.toReversed()) {
      signal.throwIfAborted();
      const [point, into] = [points[index], measured[index]];
      if (point === undefined || into === undefined) continue;
      const fromMs = performance.now();
      const load = await point.measure();
      into.rounds.push(load);
      into.tookMs = performance.now() - fromMs;
      done += 1;
      const leftMs = leftOf(measured, rounds, (performance.now() - beganMs) / done);
      say(
        `${title}: round ${round} of ${rounds}, ${point.series} at ${point.x} (${done} of ${total}): ` +
          `${load.textsPerSecond.toFixed(1)} texts/s; ${leftLabel(leftMs)}`,
      );
    }
  }
  return measured.map(({ series, x, rounds: loads }) => ({ series, x, rounds: loads }));
}

/** A point takes as long as last time; one that has not been measured yet as long as all have on average. */
function leftOf(
  measured: readonly { readonly rounds: readonly PointLoad[]; readonly tookMs: number }[],
  rounds: number,
  averageMs: number,
): number {
  return measured.reduce((sum, point) => {
    const left = rounds - point.rounds.length;
    return sum + left * (Number.isNaN(point.tookMs) ? averageMs : point.tookMs);
  }, 0);
}

/** `about 3 min left`. */
export function leftLabel(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds === 0) return 'done';
  return seconds < 90 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`;
}
