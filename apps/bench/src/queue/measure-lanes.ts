import { MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { epochMs } from '../closed-loop.ts';
import type { DeviceWork } from '../device-work.ts';
import { medianTree } from '../median-tree.ts';
import { latencyOf, median, type Latency } from '../percentile.ts';
import type { RunControl } from '../run-bench.ts';
import { QueueFarm, type LoadSeconds } from './queue-farm.ts';
import type { LaneSizes } from './queue-sizes.ts';
import { SLOW_BATCH_MS, SLOW_DEVICE } from './timed-device.ts';

/** Interactive calls beside queued bulk chunks. */
export interface LaneRound {
  readonly latency: Latency;
  /** Texts/s of the bulk lane, without the interactive calls and with them. */
  readonly bulkAlone: number;
  readonly bulkBeside: number;
  /** Of the device, with them. */
  readonly work: DeviceWork;
}

/** By how many bulk chunks are queued, and how long a caller pauses before it calls again. */
export interface LaneLoad {
  readonly chunks: number;
  /** Anything up to this. Callers without a pause fall into step with the device. */
  readonly maxPauseMs: number;
}

export interface MeasuredLane extends LaneLoad {
  readonly rounds: readonly LaneRound[];
  readonly medians: LaneRound;
  /** Share of the bulk texts/s that the interactive calls cost, within a round; then the median. */
  readonly bulkLoss: number;
}

export interface MeasuredLanes {
  readonly callers: number;
  readonly loads: readonly MeasuredLane[];
}

/** Callers of one text beside bulk chunks on a slow device. */
export function measureLanes(
  { callers, depths, maxPauseMs, rounds, load }: LaneSizes,
  control: RunControl,
): Promise<MeasuredLanes> {
  const options = { cost: SLOW_DEVICE, clientProcesses: 2, clientsPerProcess: callers };
  const deepest = Math.max(...depths);
  const laneLoads = [...depths.map((chunks) => ({ chunks, maxPauseMs })), { chunks: deepest, maxPauseMs: 0 }];
  return QueueFarm.with(options, control, async (farm) => {
    const loads: MeasuredLane[] = [];
    for (const lane of laneLoads) {
      const measured: LaneRound[] = [];
      // The deepest is what the targets are about; the others are for a plot.
      const wanted = lane.chunks === deepest ? rounds : 1;
      while (measured.length < wanted) {
        const round = await measureRound(farm, callers, lane, load);
        measured.push(round);
        control.say(
          `${lane.chunks} bulk chunks queued, pauses up to ${lane.maxPauseMs} ms: ${outline(round)}`,
        );
      }
      const bulkLoss = median(measured.map(({ bulkAlone, bulkBeside }) => 1 - bulkBeside / bulkAlone));
      loads.push({ ...lane, rounds: measured, medians: medianTree(measured), bulkLoss });
    }
    return { callers, loads };
  });
}

/** So many chunks are queued still when the calls end. */
async function measureRound(
  farm: QueueFarm,
  callers: number,
  { chunks, maxPauseMs }: LaneLoad,
  { ramp, seconds }: LoadSeconds,
): Promise<LaneRound> {
  const [bulk, interactive] = [farm.client(0), farm.client(1)];
  const meanwhile = Math.ceil(((ramp + seconds) * 2 * 1_000) / SLOW_BATCH_MS);
  const id = await bulk.call('submit', { texts: (chunks + meanwhile) * MAX_CHUNK_TEXTS });
  const rateNow = async (): Promise<number> => {
    const before = await bulk.call('done', { id });
    const beginMs = performance.now();
    await farm.rest(seconds);
    const done = (await bulk.call('done', { id })) - before;
    return (done * 1_000) / (performance.now() - beginMs);
  };
  await farm.rest(ramp);
  const bulkAlone = await rateNow();
  await interactive.call('loopStart', { clients: callers, callsAtOnce: 1, maxPauseMs });
  await farm.rest(ramp);
  const fromMs = epochMs();
  const readWork = await farm.beginDeviceWork();
  const bulkBeside = await rateNow();
  const work = await readWork();
  const span = { fromMs, toMs: epochMs() };
  const { latenciesMs } = await interactive.call('loopStop', { span });
  await bulk.call('cancel', { id });
  return { latency: latencyOf(latenciesMs), bulkAlone, bulkBeside, work };
}

function outline({ latency: { p50Ms, p99Ms }, bulkAlone, bulkBeside }: LaneRound): string {
  return (
    `interactive p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ` +
    `bulk ${bulkBeside.toFixed(0)} of ${bulkAlone.toFixed(0)} texts/s`
  );
}
