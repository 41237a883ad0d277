import { EmbeddingFarm } from '@embedfarm/sdk';
import type { RunControl } from '../run-bench.ts';
import type { CpuSeconds } from './process-cost.ts';
import { QueueFarm } from './queue-farm.ts';
import { waysOf, type ReadBack, type Way } from './read-back.ts';
import { INSTANT_DEVICE } from './timed-device.ts';

/** Many texts, there and back. */
export interface CorpusPass extends ReadBack {
  readonly way: Way;
  readonly texts: number;
  readonly seconds: number;
  readonly redisPeakBytes: number;
  readonly cpuSeconds: CpuSeconds;
}

// Code is compiled, and the process has grown to its size.
const WARM_UP_TEXTS = 20_000;

/** Each way on a Redis of its own, so that its peak is the way's. */
export async function measureCorpus(texts: number, control: RunControl): Promise<CorpusPass[]> {
  const passes: CorpusPass[] = [];
  for (const way of waysOf(EmbeddingFarm.prototype)) {
    const pass = await measureWay(texts, way, control);
    passes.push(pass);
    control.say(
      `${texts} texts, ${way}: ${pass.seconds.toFixed(1)} s, Redis ${toMiB(pass.redisPeakBytes)} MiB at most, ` +
        `SDK + ${toMiB(pass.rssGrowthBytes)} MiB`,
    );
  }
  return passes;
}

export function toMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function measureWay(texts: number, way: Way, control: RunControl): Promise<CorpusPass> {
  const options = { cost: INSTANT_DEVICE, clientProcesses: 1, clientsPerProcess: 1 };
  return QueueFarm.with(options, control, async (farm) => {
    const client = farm.client(0);
    await client.call('readBack', { texts: Math.min(texts, WARM_UP_TEXTS), way });
    const readCost = await farm.beginCost();
    const beginMs = performance.now();
    const back = await client.call('readBack', { texts, way });
    const seconds = (performance.now() - beginMs) / 1_000;
    const cpuSeconds = await readCost();
    return { ...back, way, texts, seconds, cpuSeconds, redisPeakBytes: await farm.redisPeakBytes() };
  });
}
