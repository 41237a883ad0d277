/** What a device did with one budget. */
export interface BudgetPoint {
  readonly tokenBudget: number;
  /** Of the fastest run. */
  readonly tokensPerSecond: number;
  readonly runs: number;
}

export interface BudgetPolicy {
  /** What stands where nothing better was measured. */
  readonly standard: number;
  /** How much faster another budget must be to be taken, 0.05 for 5 %. */
  readonly minGain: number;
  /** Points of fewer runs do not count against the standard. */
  readonly minRuns: number;
}

/** Larger batches for less than this are latency and memory for nothing. */
const FLAT = 0.03;

/**
 * The smallest budget that is within 3 % of the fastest; the standard one, where the fastest does not beat it
 * by `minGain`.
 *
 * @returns the standard without a speed where nothing was measured.
 */
export function chooseBudget(
  points: readonly BudgetPoint[],
  { standard, minGain, minRuns }: BudgetPolicy,
): { tokenBudget: number; tokensPerSecond?: number } {
  const standing = points.find(({ tokenBudget }) => tokenBudget === standard);
  const sound = points.filter((point) => point === standing || point.runs >= minRuns);
  const fastest = Math.max(...sound.map(({ tokensPerSecond }) => tokensPerSecond));
  if (standing && fastest <= standing.tokensPerSecond * (1 + minGain)) return speedOf(standing);
  const good = sound.filter(({ tokensPerSecond }) => tokensPerSecond >= fastest * (1 - FLAT));
  const [smallest] = good.toSorted((a, b) => a.tokenBudget - b.tokenBudget);
  return smallest ? speedOf(smallest) : { tokenBudget: standard };
}

/**
 * What cores did together, all of them running: their speeds added up. A budget that one of them did not
 * measure is left out.
 */
export function addPoints(devices: readonly (readonly BudgetPoint[])[]): BudgetPoint[] {
  const [first = [], ...others] = devices;
  return first.flatMap((point) => {
    const same = others.map((points) => points.find(({ tokenBudget }) => tokenBudget === point.tokenBudget));
    const all = [point, ...same.filter((found) => found !== undefined)];
    if (all.length < devices.length) return [];
    return {
      tokenBudget: point.tokenBudget,
      tokensPerSecond: all.reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0),
      runs: Math.min(...all.map(({ runs }) => runs)),
    };
  });
}

function speedOf({ tokenBudget, tokensPerSecond }: BudgetPoint): ReturnType<typeof chooseBudget> {
  return { tokenBudget, tokensPerSecond };
}
