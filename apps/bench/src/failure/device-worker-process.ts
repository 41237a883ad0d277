import type { Worker } from 'node:worker_threads';
import { openWorker } from '@embedfarm/worker/worker';
import { serveBench } from '../serve-bench.ts';

export interface DeviceWorkerOptions {
  readonly redis: string;
  readonly devices: string;
}

// Threads that live; once the worker is open those are its devices'.
const threads = new Set<Worker>();
process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

// The entry of a process: failure-process.ts starts it.
await serveBench('failure-worker', async (options: DeviceWorkerOptions, call) => {
  const worker = await openWorker({ ...options, calibrate: false, lowLatency: false }, call);
  return {
    runner: {
      /** @returns how many device threads were made to die. */
      async handle({ kind }: { kind: 'ready' | 'crash' }): Promise<number> {
        if (kind !== 'crash') return 0;
        const victims = [...threads];
        // No call is made of null: the thread throws, nobody catches, it dies.
        for (const thread of victims) thread.postMessage(null);
        return victims.length;
      },
    },
    close: () => worker.close(),
  };
});
