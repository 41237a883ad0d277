/**
 * Spearman's rank correlation; equal values share the mean of their ranks. NaN where either does not vary.
 *
 * Source: Spearman, "The proof and measurement of association between two things", 1904.
 */
export function spearman(values: readonly number[], others: readonly number[]): number {
  return pearson(ranks(values), ranks(others));
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranked = values.map(() => 0);
  for (let from = 0; from < order.length;) {
    const value = values[order[from] ?? 0];
    let to = from;
    while (to < order.length && values[order[to] ?? 0] === value) to += 1;
    for (const index of order.slice(from, to)) ranked[index] = (from + to - 1) / 2;
    from = to;
  }
  return ranked;
}

function pearson(values: readonly number[], others: readonly number[]): number {
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
  const [middle, otherMiddle] = [mean(values), mean(others)];
  let product = 0;
  let square = 0;
  let otherSquare = 0;
  for (const [index, value] of values.entries()) {
    const a = value - middle;
    const b = (others[index] ?? Number.NaN) - otherMiddle;
    product += a * b;
    square += a * a;
    otherSquare += b * b;
  }
  return product / Math.sqrt(square * otherSquare);
}
