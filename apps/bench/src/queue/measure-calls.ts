import { medianTree } from '../median-tree.ts';
import { median } from '../percentile.ts';
import type { RunControl } from '../run-bench.ts';
import type { BareDrain } from './bare-runner.ts';
import { QueueFarm, type CallsRate, type Rate } from './queue-farm.ts';
import type { CallSizes } from './queue-sizes.ts';
import { INSTANT_DEVICE } from './timed-device.ts';

/** A farm's rate beside that of BullMQ alone with jobs of the same size, in turn. */
export interface BesideBare<FarmRate extends Rate> {
  readonly rounds: readonly { readonly farm: FarmRate; readonly bare: Rate }[];
  readonly farm: FarmRate;
  /** Texts. */
  readonly bare: Rate;
  /** Farm ÷ bare, within a round; then the median. */
  readonly ratio: number;
}

/** By number of clients, their rate. */
export type CallCurve = readonly { readonly clients: number; readonly perSecond: number }[];

export interface MeasuredCalls extends BesideBare<CallsRate> {
  readonly clients: number;
  readonly callsAtOnce: number;
  readonly curve: CallCurve;
}

// As a farm's worker has for its interactive lane.
const INTERACTIVE = { workers: 3, concurrency: 64 };

/** One-text calls of many clients; with more than one at once a client's calls of a tick share a job. */
export function measureCalls(
  sizes: CallSizes,
  callsAtOnce: number,
  control: RunControl,
): Promise<MeasuredCalls> {
  const { clients, clientProcesses, rounds, load } = sizes;
  const options = { cost: INSTANT_DEVICE, clientProcesses, clientsPerProcess: clients / clientProcesses };
  return QueueFarm.with(options, control, async (farm) => {
    const drain = { ...INTERACTIVE, jobs: sizes.bareJobs, textsPerJob: callsAtOnce };
    await farm.calls({ clients, callsAtOnce }, { ramp: 0, seconds: load.ramp });
    const beside = await besideBare(
      rounds,
      farm,
      drain,
      () => farm.calls({ clients, callsAtOnce }, load),
      (round) => control.say(`${clients} clients, ${callsAtOnce} calls at once: ${outline(round)}`),
    );
    const curve: { clients: number; perSecond: number }[] = [];
    for (const some of sizes.curve) {
      const { perSecond } = await farm.calls({ clients: some, callsAtOnce }, load);
      curve.push({ clients: some, perSecond });
      control.say(`${some} clients, ${callsAtOnce} calls at once: ${perSecond.toFixed(0)} texts/s`);
    }
    return { clients, callsAtOnce, ...beside, curve };
  });
}

/** In turn, every other round the other way round. */
export async function besideBare<FarmRate extends Rate>(
  rounds: number,
  farm: QueueFarm,
  drain: BareDrain,
  measure: () => Promise<FarmRate>,
  tell: (round: { farm: FarmRate; bare: Rate }) => void,
): Promise<BesideBare<FarmRate>> {
  const measured: { farm: FarmRate; bare: Rate }[] = [];
  while (measured.length < rounds) {
    const bareFirst = measured.length % 2 === 0 ? await drainTexts(farm, drain) : undefined;
    const rate = await measure();
    const round = { farm: rate, bare: bareFirst ?? (await drainTexts(farm, drain)) };
    measured.push(round);
    tell(round);
  }
  const ratio = median(measured.map((round) => round.farm.perSecond / round.bare.perSecond));
  return { rounds: measured, ...medianTree(measured), ratio };
}

/** Jobs as the texts in them. */
async function drainTexts(farm: QueueFarm, drain: BareDrain): Promise<Rate> {
  const { perSecond, cpuSecondsPerThousand } = await farm.drainBare(drain);
  const perText = Object.entries(cpuSecondsPerThousand).map(([name, seconds]) => [
    name,
    seconds / drain.textsPerJob,
  ]);
  return {
    perSecond: perSecond * drain.textsPerJob,
    cpuSecondsPerThousand: Object.fromEntries(perText) as Record<string, number>,
  };
}

export function outline({ farm, bare }: { farm: Rate; bare: Rate }): string {
  return `${farm.perSecond.toFixed(0)} texts/s, BullMQ alone ${bare.perSecond.toFixed(0)}`;
}
