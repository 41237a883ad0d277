import { openWorker, type WorkerOptions } from '@embedfarm/worker/worker';
import { LoadRunner } from '../load-runner.ts';
import { Meter } from '../meter.ts';
import { serveBench } from '../serve-bench.ts';

/** Options of one of the farm's worker processes. */
export type SweepWorkerOptions = Pick<
  WorkerOptions,
  'redis' | 'model' | 'name' | 'devices' | 'poolingLayers' | 'cacheDir'
>;

// The entry of a process: measured-process.ts starts it.
await serveBench('worker', async (options: SweepWorkerOptions, call) => {
  // The same budget in every round and on every machine of a kind.
  const worker = await openWorker({ ...options, calibrate: false }, call);
  const meter = Meter.openQuiet(worker);
  return {
    runner: new LoadRunner([], meter),
    async close() {
      meter.close();
      await worker.close();
    },
  };
});
