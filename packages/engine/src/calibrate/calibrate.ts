import type { BatchLimits } from '../batch/plan-batch.ts';
import { seatLimits } from '../batch/seat-limits.ts';
import type { WarmDevice } from '../device/device-pool.ts';
import { providerOf, type Provider } from '../device/provider.ts';
import type { Calibration, CalibrationCache, MeasuredDevice } from './calibration-cache.ts';
import { addPoints, chooseBudget, type BudgetPoint, type BudgetPolicy } from './choose-budget.ts';
import { measureDevice } from './measure-device.ts';
import { typicalBatch } from './typical-batch.ts';

export interface CalibrateOptions extends Pick<BatchLimits, 'graph'> {
  readonly maxSequenceLength: number;
  readonly tokenId: number;
  /** Clock in ms. */
  readonly now: () => number;
  /** CPU time of the process in ms. */
  readonly cpuMs: () => number;
  /** Cores that the process may use. */
  readonly cores: number;
}

// Once for a model on a machine; a start from the cache measures nothing.
const LIMIT_MS = 2_000;
const ROUNDS = 3;

// On a core all of them are equally fast but where caches are small or large. On a card a row costs next to
// nothing until it is full.
const GRIDS: Readonly<Record<Provider, readonly number[]>> = {
  cpu: [128, 256, 384, 512],
  cuda: [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768],
  webgpu: [512, 1_024, 2_048, 4_096, 8_192, 16_384],
};

// The same core measured twice differs by 3 % on a shared machine, and a wrong choice is kept in the cache:
// the default has to be beaten clearly there.
const MIN_GAIN: Readonly<Record<Provider, number>> = { cpu: 0.05, cuda: 0, webgpu: 0 };
const MIN_RUNS: Readonly<Record<Provider, number>> = { cpu: ROUNDS, cuda: 1, webgpu: 1 };

// Cores that were ours for less than this share of the time say how busy the machine was, not how fast it is.
const MIN_CORE_SHARE = 0.8;

/**
 * The best token budget of every device, and its speed: out of the cache, or else measured for 2 s at most
 * with all devices running. Cores have one budget together, every card its own. A device that could not be
 * measured is left out; so are cores that others used as well: they are left after a round, and nothing is
 * kept in the cache then.
 */
export async function calibrate(
  devices: readonly WarmDevice[],
  cache: CalibrationCache,
  options: CalibrateOptions,
): Promise<Calibration> {
  const known = await cache.read();
  if (known && devices.every(({ device }) => known.has(device.name))) return known;
  const [beginMs, beginCpuMs] = [options.now(), options.cpuMs()];
  const deadlineMs = beginMs + LIMIT_MS;
  const busy = devices.filter(({ device }) => providerOf(device.name) === 'cpu').length;
  let isOurs = true;
  const areOurs = (): boolean => {
    const wanted = Math.min(busy, options.cores) * (options.now() - beginMs) * MIN_CORE_SHARE;
    return (isOurs &&= options.cpuMs() - beginCpuMs >= wanted);
  };
  const measured = await Promise.all(
    devices.map(async (warm) => {
      const { name } = warm.device;
      const provider = providerOf(name);
      const batches = gridFor(provider, warm.msPerToken).map((tokenBudget) => ({
        tokenBudget,
        batch: typicalBatch({ ...options, tokenBudget }),
      }));
      // What will not be judged is not worth the wait, at every start anew.
      const goesOn = provider === 'cpu' ? areOurs : () => true;
      const points = await measureDevice(warm, { ...options, batches, rounds: ROUNDS, goesOn, deadlineMs });
      return { name, provider, points };
    }),
  );
  const calibration = chooseAll(areOurs() ? measured : measured.filter(({ provider }) => provider !== 'cpu'));
  if (isOurs) await cache.write(calibration);
  return calibration;
}

interface Measured {
  readonly name: string;
  readonly provider: Provider;
  readonly points: readonly BudgetPoint[];
}

function chooseAll(measured: readonly Measured[]): Calibration {
  const cores = measured.filter(({ provider }) => provider === 'cpu');
  const together = chooseBudget(addPoints(cores.map(({ points }) => points)), policyOf('cpu'));
  const chosen = measured.map(({ name, provider, points }): [string, Partial<MeasuredDevice>] => {
    if (provider !== 'cpu') return [name, chooseBudget(points, policyOf(provider))];
    const own = points.find(({ tokenBudget }) => tokenBudget === together.tokenBudget);
    return [name, { ...together, ...(own && { tokensPerSecond: own.tokensPerSecond }) }];
  });
  return new Map(chosen.flatMap(([name, found]) => (isMeasured(found) ? [[name, found]] : [])));
}

/**
 * The budgets to try. A core that cannot run all of them often enough in time tries the default alone: it
 * could not leave it anyway, and its speed is worth knowing.
 */
export function gridFor(provider: Provider, msPerToken: number): readonly number[] {
  const grid = GRIDS[provider];
  if (provider !== 'cpu') return grid;
  const tokens = grid.reduce((sum, budget) => sum + budget, 0) * ROUNDS * 2;
  return tokens * msPerToken > LIMIT_MS ? [seatLimits(provider, {}).tokenBudget] : grid;
}

function policyOf(provider: Provider): BudgetPolicy {
  const { tokenBudget: standard } = seatLimits(provider, {});
  return { standard, minGain: MIN_GAIN[provider], minRuns: MIN_RUNS[provider] };
}

function isMeasured(found: Partial<MeasuredDevice>): found is MeasuredDevice {
  return found.tokensPerSecond !== undefined && found.tokenBudget !== undefined;
}
