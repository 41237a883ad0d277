import type { SequenceBatch } from '../batch/sequence-batch.ts';
import type { WarmDevice } from '../device/device-pool.ts';
import type { BudgetPoint } from './choose-budget.ts';

export interface MeasureOptions {
  readonly batches: readonly { readonly tokenBudget: number; readonly batch: SequenceBatch }[];
  readonly rounds: number;
  /** Asked before every round but the first: whether another one is worth its time. */
  readonly goesOn: () => boolean;
  /** By `now`: nothing begins that would end later, by what is known of the device. */
  readonly deadlineMs: number;
  readonly now: () => number;
}

// As in work: while one batch runs the next one is ready.
const IN_FLIGHT = 2;

/**
 * How fast a device is with each budget: its fastest run of several, as whatever else the machine does only
 * makes runs slower. A budget that fails (memory, a buffer's limit) has no point, nor has a larger one.
 */
export async function measureDevice(
  { device, msPerToken }: WarmDevice,
  { batches, rounds, goesOn, deadlineMs, now }: MeasureOptions,
): Promise<BudgetPoint[]> {
  const points = new Map<number, { msPerToken: number; runs: number }>();
  let within = batches.length;
  let knownMsPerToken = msPerToken;
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0 && !goesOn()) break;
    for (const [at, { tokenBudget, batch }] of batches.entries()) {
      if (at >= within) break;
      const tokens = batch.ids.length * IN_FLIGHT;
      if (now() + tokens * knownMsPerToken > deadlineMs) break;
      const startMs = now();
      const runs = Array.from({ length: IN_FLIGHT }, () => device.encode(batch));
      const ran = await Promise.allSettled(runs);
      if (ran.some(({ status }) => status === 'rejected')) {
        within = at;
        break;
      }
      const took = (now() - startMs) / tokens;
      const point = points.get(tokenBudget) ?? { msPerToken: took, runs: 0 };
      knownMsPerToken = Math.min(point.msPerToken, took);
      points.set(tokenBudget, { msPerToken: knownMsPerToken, runs: point.runs + 1 });
    }
  }
  return batches.slice(0, within).flatMap(({ tokenBudget }) => {
    const point = points.get(tokenBudget);
    return point ? { tokenBudget, tokensPerSecond: 1_000 / point.msPerToken, runs: point.runs } : [];
  });
}
