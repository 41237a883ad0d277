import { Meter } from '../meter.ts';
import { serveBench } from '../serve-bench.ts';
import { BareRunner } from './bare-runner.ts';

/** Options of a process with BullMQ alone. */
export interface BareProcessOptions {
  readonly redis: string;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('bare', async ({ redis }: BareProcessOptions) => {
  const meter = Meter.open();
  return {
    runner: new BareRunner(redis, meter),
    close: async () => meter.close(),
  };
});
