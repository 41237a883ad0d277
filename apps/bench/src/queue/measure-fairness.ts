import { MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { median, percentile } from '../percentile.ts';
import type { RunControl } from '../run-bench.ts';
import { QueueFarm } from './queue-farm.ts';
import type { FairnessSizes } from './queue-sizes.ts';
import { SLOW_BATCH_MS, SLOW_DEVICE } from './timed-device.ts';

/** What a light client waits; calls without an answer count with the time that they had waited. */
export interface FairnessRound {
  readonly calls: number;
  readonly unanswered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of both clients. */
  readonly textsPerSecond: number;
}

export interface MeasuredFairness {
  readonly heavyChunks: number;
  readonly everyMs: number;
  readonly rounds: readonly FairnessRound[];
  /** Median over the rounds, in times of a full batch. */
  readonly p50Batches: number;
  readonly p99Batches: number;
}

/** A client with a chunk now and then, beside one with thousands in the queue. */
export function measureFairness(
  { heavyChunks, everyMs, rounds, load }: FairnessSizes,
  control: RunControl,
): Promise<MeasuredFairness> {
  const options = { cost: SLOW_DEVICE, clientProcesses: 2, clientsPerProcess: 1 };
  return QueueFarm.with(options, control, async (farm) => {
    const [heavy, light] = [farm.client(0), farm.client(1)];
    const measured: FairnessRound[] = [];
    while (measured.length < rounds) {
      const id = await heavy.call('submit', { texts: heavyChunks * MAX_CHUNK_TEXTS });
      const before = await heavy.call('done', { id });
      await light.call('arrivalsStart', { everyMs });
      await farm.rest(load.seconds);
      const done = (await heavy.call('done', { id })) - before;
      const { latenciesMs, unansweredMs } = await light.call('arrivalsStop', {});
      await heavy.call('cancel', { id });
      const all = [...latenciesMs, ...unansweredMs];
      const round = {
        calls: all.length,
        unanswered: unansweredMs.length,
        p50Ms: percentile(all, 0.5),
        p99Ms: percentile(all, 0.99),
        textsPerSecond: (done + latenciesMs.length * MAX_CHUNK_TEXTS) / load.seconds,
      };
      measured.push(round);
      control.say(
        `a light client beside ${heavyChunks} chunks: p50 ${round.p50Ms.toFixed(1)} ms, ` +
          `${round.unanswered} of ${round.calls} calls without an answer`,
      );
    }
    return {
      heavyChunks,
      everyMs,
      rounds: measured,
      p50Batches: median(measured.map(({ p50Ms }) => p50Ms)) / SLOW_BATCH_MS,
      p99Batches: median(measured.map(({ p99Ms }) => p99Ms)) / SLOW_BATCH_MS,
    };
  });
}
