import type { MeasuredProcess } from '../measured-process.ts';
import type { RunControl } from '../run-bench.ts';
import { BLOCK_TEXTS, type LengthsName } from '../sequence-lengths.ts';
import type { ContenderCalls } from './contender-calls.ts';
import { worthMeasuring, type Rates } from './rates.ts';

/** One way to encode, measured in turn with others. */
export interface Way {
  readonly key: string;
  readonly group: string;
  readonly process: MeasuredProcess<ContenderCalls>;
  /** Texts per call; undefined where all go into one. */
  readonly callTexts: number | undefined;
}

export interface Interleaving {
  readonly title: string;
  readonly workload: { readonly name: LengthsName; readonly seed: number };
  readonly rounds: number;
  /** Length of one measurement, about. */
  readonly seconds: number;
}

const MAX_TEXTS = 8_192;
const WARM_UP = { tokens: 1_280, maxTexts: 256 };

/**
 * A warm-up of each way, then rounds of one measurement each, in turn; every other round goes backwards, so
 * that what drifts meets all alike.
 *
 * @throws FarmError what a process failed with; the signal's reason on abort.
 */
export async function interleave(
  ways: readonly Way[],
  { title, workload, rounds, seconds }: Interleaving,
  { signal, say }: RunControl,
): Promise<Rates[]> {
  const measure = async ({ process, callTexts }: Way, texts: number): Promise<number> => {
    signal.throwIfAborted();
    const load = { workload: { ...workload, texts }, callTexts: callTexts ?? texts };
    return texts / (await process.call('measure', { load })).seconds;
  };
  say(`${title}: warm-up`);
  const warmUps: { group: string; rate: number }[] = [];
  for (const way of ways) {
    // The first call compiles code and allocates buffers; it would be most of a short warm-up.
    const texts = warmUpTexts(workload.name, way.callTexts);
    await measure(way, Math.min(way.callTexts ?? texts, texts));
    const rate = await measure(way, texts);
    warmUps.push({ group: way.group, rate });
  }
  const isWorth = worthMeasuring(warmUps);
  const plans = ways.map((way, index) => ({
    way,
    texts: measuredTexts(workload.name, way.callTexts, (warmUps[index]?.rate ?? 0) * seconds),
    rates: [] as number[],
    isLeftOut: isWorth[index] !== true,
    warmUpRate: warmUps[index]?.rate ?? Number.NaN,
  }));
  const measured = plans.filter(({ isLeftOut }) => !isLeftOut);
  for (let round = 1; round <= rounds; round += 1) {
    for (const plan of round % 2 === 1 ? measured : measured.toReversed()) {
      plan.rates.push(await measure(plan.way, plan.texts));
    }
    const line = measured.map(({ way, rates }) => `${way.key} ${rates.at(-1)?.toFixed(0)}`);
    say(`${title}: round ${round} of ${rounds}, texts/s: ${line.join(', ')}`);
  }
  return plans.map(({ way, texts, rates, isLeftOut, warmUpRate }) => ({
    key: way.key,
    group: way.group,
    callTexts: way.callTexts ?? texts,
    texts,
    rates: isLeftOut ? [warmUpRate] : rates,
    isLeftOut,
  }));
}

/** Enough for code and caches to be warm, and for whole blocks of a mix. */
export function warmUpTexts(name: LengthsName, callTexts = 1): number {
  const unit = Math.min(textUnit(name, callTexts), WARM_UP.maxTexts);
  const length = name === 'mix' ? WARM_UP.tokens : Number(name.slice('uniform-'.length));
  return unit * Math.ceil(WARM_UP.tokens / length / unit);
}

/** About as many texts as wished, whole calls and whole blocks; at least one. */
export function measuredTexts(name: LengthsName, callTexts: number | undefined, wished: number): number {
  const unit = textUnit(name, callTexts);
  return unit * Math.max(1, Math.round(Math.min(wished, MAX_TEXTS) / unit));
}

/** A call of all texts is one of whole blocks too, else its last batch would be a large part of it. */
function textUnit(name: LengthsName, callTexts = BLOCK_TEXTS): number {
  return name === 'mix' ? Math.ceil(callTexts / BLOCK_TEXTS) * BLOCK_TEXTS : callTexts;
}
