import { EmbeddingFarm } from '@embedfarm/sdk';
import { farmEncode } from './encode.ts';
import { LoadRunner } from './load-runner.ts';
import { Meter } from './meter.ts';
import { serveBench } from './serve-bench.ts';

/** Options of a process of clients. */
export interface ClientProcessOptions {
  readonly redis: string;
  /** SDK instances. */
  readonly clients: number;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('clients', async ({ redis, clients }: ClientProcessOptions, { signal }) => {
  const farms: EmbeddingFarm[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(farms.map((farm) => farm.close()));
  };
  try {
    for (let client = 0; client < clients; client += 1) {
      farms.push(await EmbeddingFarm.connect({ redis }, { signal }));
    }
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
  const meter = Meter.open();
  return {
    runner: new LoadRunner(
      farms.map((farm) => farmEncode(farm)),
      meter,
    ),
    async close() {
      meter.close();
      await closeAll();
    },
  };
});
