import { openWorker } from '@embedfarm/worker/worker';
import { LoadRunner } from './load-runner.ts';
import { Meter } from './meter.ts';
import { serveBench } from './serve-bench.ts';

/** Options of the farm's worker process. */
export interface WorkerProcessOptions {
  readonly redis: string;
  readonly model: string;
  readonly name: string;
  readonly devices: string;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('worker', async (options: WorkerProcessOptions, call) => {
  // As the engine beside it: both are to have the same budget.
  const worker = await openWorker({ ...options, calibrate: false }, call);
  const meter = Meter.open(worker);
  return {
    runner: new LoadRunner([], meter),
    async close() {
      meter.close();
      await worker.close();
    },
  };
});
