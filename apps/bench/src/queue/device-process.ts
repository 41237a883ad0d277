import { FarmWorker } from '@embedfarm/farm/worker';
import { LoadRunner } from '../load-runner.ts';
import { Meter } from '../meter.ts';
import { serveBench } from '../serve-bench.ts';
import type { DeviceCost } from './timed-device.ts';
import { TIMED_MODEL, TimedEncoder } from './timed-encoder.ts';

/** Options of a worker process with a timed device. */
export interface DeviceProcessOptions {
  readonly redis: string;
  readonly cost: DeviceCost;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('worker', async ({ redis, cost }: DeviceProcessOptions, { signal, logger }) => {
  const encoder = new TimedEncoder(cost);
  const worker = await FarmWorker.open(
    TIMED_MODEL,
    encoder,
    { redis },
    { signal, onFault: (what, fault) => logger.warn({ err: fault }, what) },
  );
  const meter = Meter.open(encoder);
  return {
    runner: new LoadRunner([], meter),
    async close() {
      meter.close();
      // What is left of a load is nobody's.
      await worker.close({ graceMs: 1_000 });
    },
  };
});
