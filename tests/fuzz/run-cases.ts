import { judge, type FuzzCase } from './judge.ts';
import type { Tally } from './tally.ts';

/** Runs cases, so many at a time; each is made when its turn comes. */
export async function runCases(
  count: number,
  atATime: number,
  makeCase: (number: number) => FuzzCase,
  tally: Tally,
): Promise<void> {
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < count) {
      const number = next;
      next += 1;
      await judge(makeCase(number), tally);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, count) }, runner));
}
