import type { Shape } from '../bench-model.ts';
import type { RunControl } from '../run-bench.ts';
import { seededRandom } from '@embedfarm/testkit/seeded-random';
import { openOurs } from './contenders.ts';

/** Memory under texts of random lengths in calls of random sizes. */
export interface SoakResult {
  readonly shape: Shape;
  readonly minutes: number;
  readonly texts: number;
  readonly samples: readonly MemorySample[];
  /** Of a straight line through the second half. */
  readonly slopeMibPerHour: number;
  /** Of that line, from the middle to the end. */
  readonly riseMib: number;
}

export interface MemorySample {
  readonly minute: number;
  readonly residentMib: number;
}

const SAMPLE_SECONDS = 5;
const MAX_CALL_TEXTS = 256;
const MINUTES_PER_HOUR = 60;

/** @returns undefined where the kernel does not tell of memory. */
export async function soak(
  options: { shape: Shape; model: string; cacheDir: string; devices: string },
  { minutes, seed, signal, say }: { minutes: number; seed: number } & RunControl,
): Promise<SoakResult | undefined> {
  const { shape, ...engine } = options;
  const random = seededRandom(seed);
  const process = await openOurs(engine, 'fp32', signal);
  try {
    const samples: MemorySample[] = [];
    let texts = 0;
    const beginMs = performance.now();
    const minuteNow = (): number => (performance.now() - beginMs) / 60_000;
    say(`${shape}, soak: ${minutes} minutes`);
    for (let call = 0; minuteNow() < minutes; call += 1) {
      signal.throwIfAborted();
      const callTexts = 1 + Math.floor(random() * MAX_CALL_TEXTS);
      const load = { workload: { name: 'mix', texts: callTexts, seed: seed + call }, callTexts } as const;
      await process.call('measure', { load });
      texts += callTexts;
      const minute = minuteNow();
      if (minute - (samples.at(-1)?.minute ?? -1) < SAMPLE_SECONDS / 60) continue;
      const memory = await process.call('memory', {});
      if (memory === null) return undefined;
      samples.push({ minute, residentMib: memory.residentBytes / 2 ** 20 });
    }
    const half = samples.filter(({ minute }) => minute >= minutes / 2);
    const slope = slopeOf(half.map(({ minute, residentMib }) => [minute, residentMib]));
    return {
      shape,
      minutes,
      texts,
      samples,
      slopeMibPerHour: slope * MINUTES_PER_HOUR,
      riseMib: (slope * minutes) / 2,
    };
  } finally {
    await process.close();
  }
}

/** Of the straight line with the least squares; NaN of fewer than two points. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
