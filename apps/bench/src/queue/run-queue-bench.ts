import { withBenchRedis } from '../bench-redis.ts';
import { readSetting } from '../machine.ts';
import { readRedisInfo } from '../redis-info.ts';
import type { RunControl } from '../run-bench.ts';
import { measureCalls } from './measure-calls.ts';
import { measureChunks } from './measure-chunks.ts';
import { measureCorpus } from './measure-corpus.ts';
import { measureFairness } from './measure-fairness.ts';
import { measureLanes } from './measure-lanes.ts';
import { queueCommand, type QueueBenchOptions } from './queue-options.ts';
import type { QueueMeasurements, QueueReport } from './queue-report.ts';
import { CALLS_OF_A_TICK, queueSizes } from './queue-sizes.ts';
import { queueReach } from './queue-targets.ts';

const LIBRARIES = ['bullmq', 'ioredis'];

/** Every case that was asked for, each on a Redis of its own. Nothing is left running. */
export async function runQueueBench(options: QueueBenchOptions, control: RunControl): Promise<QueueReport> {
  const sizes = queueSizes(options);
  const isWanted = new Set<string>(options.only);
  const measured: QueueMeasurements = {
    ...(isWanted.has('lanes') && { lanes: await measureLanes(sizes.lanes, control) }),
    ...(isWanted.has('fairness') && { fairness: await measureFairness(sizes.fairness, control) }),
    ...(isWanted.has('calls') && { calls: await measureCalls(sizes.calls, 1, control) }),
    ...(isWanted.has('ticks') && { ticks: await measureCalls(sizes.calls, CALLS_OF_A_TICK, control) }),
    ...(isWanted.has('chunks') && { chunks: await measureChunks(sizes.chunks, control) }),
    ...(isWanted.has('corpus') && { corpus: await measureCorpus(sizes.corpusTexts, control) }),
  };
  const redis = await withBenchRedis(control.say, async ({ port }) => (await readRedisInfo(port)).version);
  return {
    ...(await readSetting(queueCommand(options), LIBRARIES, { redis })),
    quick: options.quick,
    reach: queueReach(measured),
    ...measured,
  };
}
