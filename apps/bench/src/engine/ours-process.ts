import { FarmError } from '@embedfarm/contract';
import { Engine } from '@embedfarm/engine/engine';
import { serveBench } from '../serve-bench.ts';
import { ContenderRunner } from './contender-runner.ts';

/** Our engine in a process of its own. */
export interface OursProcessOptions {
  readonly model: string;
  readonly dtype: 'float32' | 'int8';
  readonly devices: string;
  /** Where converted weights are kept. */
  readonly cacheDir: string;
  /** Whether there is a device of all cores beside those of one; true by default. */
  readonly lowLatency?: boolean;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('ours', async (options: OursProcessOptions) => {
  const engine = await Engine.open(options);
  const encode = async (texts: readonly string[]): Promise<Float32Array> => {
    const { values, failures } = await engine.encode(texts, {}, { lane: 'bulk' });
    const [failure] = failures;
    if (failure !== undefined) throw new FarmError(failure.code, failure.message);
    return values;
  };
  return { runner: new ContenderRunner(encode), close: () => engine.close() };
});
