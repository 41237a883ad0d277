/** As many as a sparkline has pixels for. */
const POINTS = 60;

/** At most 60 means of equal stretches; null for one that nothing is known of. */
export function inSteps(row: readonly (number | null)[]): readonly (number | null)[] {
  const step = Math.max(1, Math.ceil(row.length / POINTS));
  const steps: (number | null)[] = [];
  for (let at = 0; at < row.length; at += step) {
    const part = row.slice(at, at + step).filter((value) => value !== null);
    steps.push(part.length === 0 ? null : part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return steps;
}
