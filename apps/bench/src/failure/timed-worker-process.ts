import { FarmError } from '@embedfarm/contract';
import { FarmWorker } from '@embedfarm/farm/worker';
import { TimedEncoder, timedRegistration } from '@embedfarm/testkit/timed-encoder';
import { serveBench } from '../serve-bench.ts';
import type { Note } from './failure-process.ts';

export interface TimedWorkerOptions {
  readonly redis: string;
  readonly dimensions: number;
  readonly msPerText: number;
  /** So many of its first chunks fail for a reason that may pass. */
  readonly failingChunks?: number;
}

/** What it can be asked: nothing but to stand still. */
export interface StallRequest {
  readonly kind: 'ready' | 'stall';
  /** Nothing runs in the process for so long. */
  readonly ms?: number;
}

// The entry of a process: failure-process.ts starts it.
await serveBench('failure-worker', async (options: TimedWorkerOptions, { signal }) => {
  const { redis, dimensions, msPerText, failingChunks = 0 } = options;
  let failed = 0;
  const encoder = new TimedEncoder({
    dimensions,
    msPerText,
    msPerBatch: 2,
    onBegin: ([chunk]) => tell({ note: 'begin', chunk: String(chunk) }),
    onEnd: ([chunk]) => tell({ note: 'end', chunk: String(chunk) }),
    fault([chunk]) {
      if (failed >= failingChunks) return undefined;
      failed += 1;
      tell({ note: 'fail', chunk: String(chunk) });
      return new FarmError('internal', 'told to fail');
    },
  });
  const worker = await FarmWorker.open(timedRegistration(dimensions), encoder, { redis }, { signal });
  return {
    runner: {
      async handle({ kind, ms = 0 }: StallRequest) {
        if (kind === 'stall') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      },
    },
    close: () => worker.close(),
  };
});

function tell(note: Note): void {
  process.send?.(note);
}
