/**
 * Does the work for all items, some at a time. The first failure aborts the others, and is the one that is thrown
 * when all have ended.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  atOnce: number,
  signal: AbortSignal | undefined,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const signals = signal === undefined ? [failed.signal] : [failed.signal, signal];
  const over = AbortSignal.any(signals);
  const left = items.values();
  const failures: unknown[] = [];
  const runner = async (): Promise<void> => {
    for (const item of left) {
      if (over.aborted && failures.length > 0) return;
      try {
        await work(item, over);
      } catch (thrown) {
        failures.push(thrown);
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
  if (failures.length > 0) throw failures[0];
}
