import { median } from '../percentile.ts';

/** How fast one way to encode was. */
export interface Rates {
  readonly key: string;
  /** Ways of one group are alternatives, and the best of them counts: one contender's batch sizes. */
  readonly group: string;
  readonly callTexts: number;
  /** Texts of each measurement. */
  readonly texts: number;
  /** Texts/s, a number a round. */
  readonly rates: readonly number[];
  /** So much slower than the best of its group in the warm-up that its only number is from there. */
  readonly isLeftOut: boolean;
}

/** Under this share of its group's best a way is not measured in every round. A warm-up is off by a tenth, or two. */
const MIN_SHARE = 0.6;

/** Which of the ways are worth measuring, by the rate that each had in the warm-up. */
export function worthMeasuring(
  warmUp: readonly { readonly group: string; readonly rate: number }[],
): boolean[] {
  return warmUp.map(({ group, rate }) => {
    const best = Math.max(...warmUp.filter((other) => other.group === group).map((other) => other.rate));
    return rate >= MIN_SHARE * best;
  });
}

/** The best way of a group, by its median. */
export function bestOf(all: readonly Rates[], group: string): Rates | undefined {
  const ways = all.filter((way) => way.group === group);
  return ways.toSorted((a, b) => median(b.rates) - median(a.rates))[0];
}

/** Best of one group ÷ best of the other, within each round; then the median. NaN where one is missing. */
export function ratioOf(all: readonly Rates[], group: string, other: string): number {
  const own = bestPerRound(all, group);
  const others = bestPerRound(all, other);
  return median(own.map((rate, round) => rate / (others[round] ?? Number.NaN)));
}

function bestPerRound(all: readonly Rates[], group: string): number[] {
  const ways = all.filter((way) => way.group === group && !way.isLeftOut);
  const rounds = ways[0]?.rates ?? [];
  return rounds.map((_, round) => Math.max(...ways.map(({ rates }) => rates[round] ?? Number.NaN)));
}
