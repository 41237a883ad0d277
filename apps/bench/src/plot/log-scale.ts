/** Values to places on a line, by their logarithm. */
export interface LogScale {
  readonly min: number;
  readonly max: number;
  place(value: number): number;
}

/** `min` is at `from`, `max` at `to`; either may be the larger place. */
export function logScale(
  { min, max }: { min: number; max: number },
  { from, to }: { from: number; to: number },
): LogScale {
  const width = Math.log(max / min);
  return {
    min,
    max,
    place: (value) => (width === 0 ? (from + to) / 2 : from + ((to - from) * Math.log(value / min)) / width),
  };
}

const STEPS = [1, 2, 5];

/** Round numbers (1, 2, 5 × a power of ten) from the last one not above `least` to the first not below `most`. */
export function roundTicks(least: number, most: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= most * 10; power += 1) {
    ticks.push(...STEPS.map((step) => step * 10 ** power));
  }
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= most);
  return ticks.slice(Math.max(0, first), last + 1);
}
