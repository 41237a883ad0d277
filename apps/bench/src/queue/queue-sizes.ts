import type { LoadSeconds } from './queue-farm.ts';

export interface LaneSizes {
  readonly callers: number;
  /** Bulk chunks queued, fewest first. */
  readonly depths: readonly number[];
  /** Of a caller before it calls again. */
  readonly maxPauseMs: number;
  readonly rounds: number;
  readonly load: LoadSeconds;
}

export interface FairnessSizes {
  readonly heavyChunks: number;
  /** The light client asks for a chunk so often: a third of what the device does. */
  readonly everyMs: number;
  readonly rounds: number;
  readonly load: LoadSeconds;
}

export interface CallSizes {
  readonly clients: number;
  readonly clientProcesses: number;
  readonly rounds: number;
  readonly load: LoadSeconds;
  readonly bareJobs: number;
  /** Fewer clients, for a plot. */
  readonly curve: readonly number[];
}

export interface ChunkSizes {
  readonly clientProcesses: number;
  readonly textsPerProcess: number;
  readonly rounds: number;
}

/** How much each case holds. */
export interface QueueSizes {
  readonly lanes: LaneSizes;
  readonly fairness: FairnessSizes;
  readonly calls: CallSizes;
  readonly chunks: ChunkSizes;
  readonly corpusTexts: number;
}

/** Calls of one tick that share a job. */
export const CALLS_OF_A_TICK = 32;

const FULL = {
  lanes: { callers: 4, depths: [20, 200, 2_000], maxPauseMs: 20, rounds: 3, load: { ramp: 1, seconds: 6 } },
  fairness: { heavyChunks: 3_000, everyMs: 50, rounds: 3, load: { ramp: 0, seconds: 8 } },
  calls: {
    clients: 32,
    clientProcesses: 4,
    rounds: 5,
    load: { ramp: 1, seconds: 4 },
    bareJobs: 8_000,
    curve: [1, 2, 4, 8, 16],
  },
  chunks: { clientProcesses: 2, textsPerProcess: 51_200, rounds: 5 },
  corpusTexts: 1_000_000,
} as const satisfies QueueSizes;

const QUICK = {
  lanes: { callers: 2, depths: [2, 10], maxPauseMs: 20, rounds: 1, load: { ramp: 0.1, seconds: 0.4 } },
  fairness: { heavyChunks: 20, everyMs: 50, rounds: 1, load: { ramp: 0, seconds: 0.3 } },
  calls: {
    clients: 4,
    clientProcesses: 2,
    rounds: 1,
    load: { ramp: 0.1, seconds: 0.3 },
    bareJobs: 50,
    curve: [1, 2],
  },
  chunks: { clientProcesses: 2, textsPerProcess: 1_024, rounds: 1 },
  corpusTexts: 2_000,
} as const satisfies QueueSizes;

export function queueSizes({
  quick,
  rounds,
  texts,
}: {
  readonly quick: boolean;
  readonly rounds?: number | undefined;
  readonly texts?: number | undefined;
}): QueueSizes {
  const sizes: QueueSizes = quick ? QUICK : FULL;
  const often = rounds === undefined ? {} : { rounds };
  return {
    lanes: { ...sizes.lanes, ...often },
    fairness: { ...sizes.fairness, ...often },
    calls: { ...sizes.calls, ...often },
    chunks: { ...sizes.chunks, ...often },
    corpusTexts: texts ?? sizes.corpusTexts,
  };
}
