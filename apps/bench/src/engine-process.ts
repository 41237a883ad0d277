import { Engine } from '@embedfarm/engine/engine';
import { engineEncode } from './encode.ts';
import { LoadRunner } from './load-runner.ts';
import { Meter } from './meter.ts';
import { serveBench } from './serve-bench.ts';

/** Options of the process that runs the engine alone. */
export interface EngineProcessOptions {
  readonly model: string;
  readonly devices: string;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('engine', async ({ model, devices }: EngineProcessOptions) => {
  const engine = await Engine.open({ model, devices });
  const meter = Meter.open(engine);
  return {
    runner: new LoadRunner([engineEncode(engine)], meter),
    async close() {
      meter.close();
      await engine.close();
    },
  };
});
