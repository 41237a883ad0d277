import { atLeast, atMost, type Reach } from '../reach.ts';
import type { MeasuredLane, MeasuredLanes } from './measure-lanes.ts';
import type { QueueMeasurements } from './queue-report.ts';

const MAX_INTERACTIVE_MS = { p50: 20, p99: 45 };
const MAX_BULK_LOSS = 0.25;
const MAX_LIGHT_BATCHES = 3;
const MIN_CALLS_PER_SECOND = 1_500;
const MIN_TICK_TEXTS_PER_SECOND = 8_000;
const MIN_CHUNK_TEXTS_PER_SECOND = 50_000;

/** What was measured, beside what is to be reached. */
export function queueReach({ lanes, fairness, calls, ticks, chunks }: QueueMeasurements): Reach[] {
  const reach: (Reach | undefined)[] = [
    ...(lanes ? deepestOf(lanes).flatMap(laneReach) : []),
    fairness &&
      atMost(
        `light client beside ${fairness.heavyChunks} chunks of another, p50 in batch times`,
        fairness.p50Batches,
        MAX_LIGHT_BATCHES,
      ),
    calls &&
      atLeast(`one-text calls/s of ${calls.clients} clients`, calls.farm.perSecond, MIN_CALLS_PER_SECOND),
    ticks &&
      atLeast(
        `texts/s where ${ticks.callsAtOnce} calls of a tick share a job`,
        ticks.farm.perSecond,
        MIN_TICK_TEXTS_PER_SECOND,
      ),
    chunks && atLeast('texts/s in chunks, encode', chunks.encode.farm.perSecond, MIN_CHUNK_TEXTS_PER_SECOND),
    chunks &&
      atLeast('texts/s in chunks, submit and read', chunks.submit.farm.perSecond, MIN_CHUNK_TEXTS_PER_SECOND),
  ];
  return reach.flatMap((one) => (one === undefined ? [] : [one]));
}

/** The deepest queue, with pauses and without. */
function deepestOf({ loads }: MeasuredLanes): readonly MeasuredLane[] {
  const deepest = Math.max(...loads.map(({ chunks }) => chunks));
  return loads.filter(({ chunks }) => chunks === deepest);
}

function laneReach({ chunks, maxPauseMs, medians: { latency }, bulkLoss }: MeasuredLane): Reach[] {
  const callers = maxPauseMs === 0 ? 'callers without a pause' : `callers with pauses up to ${maxPauseMs} ms`;
  return [
    atMost(
      `interactive call beside ${chunks} bulk chunks, ${callers}, p50 ms`,
      latency.p50Ms,
      MAX_INTERACTIVE_MS.p50,
    ),
    atMost('the same, p99 ms', latency.p99Ms, MAX_INTERACTIVE_MS.p99),
    atMost('the same, share of the bulk texts/s that it costs', bulkLoss, MAX_BULK_LOSS),
  ];
}
