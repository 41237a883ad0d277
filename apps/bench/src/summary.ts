import type { Shape } from './bench-model.ts';
import type { MeasuredCase, Round } from './measure-case.ts';
import { medianTree } from './median-tree.ts';
import { median } from './percentile.ts';
import { atLeast, atMost, type Reach } from './reach.ts';
import type { WorkloadName } from './sequence-lengths.ts';

/** What a case comes to: each number of a round as the median over the rounds, and the pairs of each round. */
export interface CaseSummary {
  readonly shape: Shape;
  readonly workload: WorkloadName;
  readonly bulkTexts: number;
  readonly rounds: number;
  readonly medians: Round;
  /** Farm ÷ engine, texts/s of a bulk call. */
  readonly bulkRatio: number;
  /** Farm − engine, median latency of an idle call with one text. */
  readonly singleAddedMs: number;
  /** Many clients with one text each ÷ a bulk call, both through the farm: by texts/s and by tokens/s. */
  readonly loopRatio: number;
  readonly loopTokensRatio: number;
  readonly reach: readonly Reach[];
}

const MIN_BULK_RATIO = 0.95;
const MAX_SINGLE_ADDED_MS = 4;
const MAX_LOOP_DELAY_P99_MS = 20;
/** Less where a text costs the device less, and where texts of one batch differ in length. */
const MIN_LOOP_RATIO = {
  minilm: { mix: 0.7, 'uniform-40': 0.8 },
  base: { mix: 0.7, 'uniform-40': 0.9 },
} as const;

export function summarize({ shape, workload, sizes, rounds }: MeasuredCase): CaseSummary {
  const medianOf = (pick: (round: Round) => number): number => median(rounds.map(pick));
  const numbers = {
    bulkRatio: medianOf(({ sdk, engine }) => sdk.bulk.textsPerSecond / engine.bulk.textsPerSecond),
    singleAddedMs: medianOf(({ sdk, engine }) => sdk.single.p50Ms - engine.single.p50Ms),
    loopRatio: medianOf(({ sdk }) => sdk.loop.textsPerSecond / sdk.bulk.textsPerSecond),
    loopTokensRatio: medianOf(({ sdk }) => sdk.loop.tokensPerSecond / sdk.bulk.tokensPerSecond),
  };
  const medians = medianTree(rounds);
  return {
    shape,
    workload,
    bulkTexts: sizes.bulkTexts,
    rounds: rounds.length,
    medians,
    ...numbers,
    // What tiny costs is overhead alone, so no share of it is promised.
    reach:
      shape === 'tiny' ? [] : reachOf(numbers, medians, sizes.bulkTexts, MIN_LOOP_RATIO[shape][workload]),
  };
}

function reachOf(
  { bulkRatio, singleAddedMs, loopRatio }: Pick<CaseSummary, 'bulkRatio' | 'singleAddedMs' | 'loopRatio'>,
  { sdk }: Round,
  bulkTexts: number,
  minLoopRatio: number,
): Reach[] {
  const { clients } = sdk.loop;
  return [
    atLeast(`sdk ÷ engine, texts/s of calls with ${bulkTexts} texts`, bulkRatio, MIN_BULK_RATIO),
    atMost('sdk − engine, ms of an idle call with one text, median', singleAddedMs, MAX_SINGLE_ADDED_MS),
    atLeast(`${clients} clients of one-text calls ÷ bulk, texts/s through the sdk`, loopRatio, minLoopRatio),
    atMost('main-loop delay of the worker, p99 ms, bulk', sdk.bulk.loopDelay.p99Ms, MAX_LOOP_DELAY_P99_MS),
    atMost(
      `main-loop delay of the worker, p99 ms, ${clients} clients`,
      sdk.loop.loopDelay.p99Ms,
      MAX_LOOP_DELAY_P99_MS,
    ),
  ];
}
