/**
 * Places for labels that stand at `wished`, at least `gap` apart and within `min` and `max`, in the order of
 * `wished`. Each moves as little as those above it allow.
 */
export function spreadLabels(
  wished: readonly number[],
  { gap, min, max }: { gap: number; min: number; max: number },
): number[] {
  const order = wished.map((_, index) => index).toSorted((a, b) => (wished[a] ?? 0) - (wished[b] ?? 0));
  const places = wished.map((place) => Math.max(min, place));
  let last = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    last = Math.max(places[index] ?? 0, last + gap);
    places[index] = last;
  }
  // What went too far down comes back up, and takes those above along.
  let next = max + gap;
  for (const index of order.toReversed()) {
    next = Math.min(places[index] ?? 0, next - gap);
    places[index] = next;
  }
  return places;
}
