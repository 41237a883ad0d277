import { EmbeddingFarm } from '@embedfarm/sdk';
import { Meter } from '../meter.ts';
import { serveBench } from '../serve-bench.ts';
import { QueueClientRunner } from './client-runner.ts';

/** Options of a process of clients. */
export interface QueueClientOptions {
  readonly redis: string;
  /** SDK instances. */
  readonly clients: number;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('clients', async ({ redis, clients }: QueueClientOptions, { signal }) => {
  const farms: EmbeddingFarm[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(farms.map((farm) => farm.close()));
  };
  try {
    while (farms.length < clients) farms.push(await EmbeddingFarm.connect({ redis }, { signal }));
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
  const meter = Meter.open();
  return {
    runner: new QueueClientRunner(farms, meter),
    async close() {
      meter.close();
      await closeAll();
    },
  };
});
