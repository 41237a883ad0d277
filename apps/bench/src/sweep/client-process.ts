import { serveBench } from '../serve-bench.ts';
import { SweepClientRunner } from './client-runner.ts';

/** Options of a process of clients. */
export interface SweepClientOptions {
  readonly redis: string;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('clients', ({ redis }: SweepClientOptions, { signal }) => {
  const runner = new SweepClientRunner(redis, signal);
  return Promise.resolve({ runner, close: () => runner.close() });
});
