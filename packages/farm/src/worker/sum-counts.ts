export function sumCounts(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
