import { FarmError } from '@embedfarm/contract';
import { Engine } from '@embedfarm/engine/engine';
import type { EngineOptions } from '@embedfarm/engine/engine-options';
import { serveBench } from '../serve-bench.ts';
import { ContenderRunner } from './contender-runner.ts';

/** Our engine in a process of its own. */
export interface OursProcessOptions {
  readonly model: string;
  readonly dtype: 'float32' | 'int8';
  readonly devices: string;
  /** Where converted weights are kept. */
  readonly cacheDir: string;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('ours', async ({ dtype, ...options }: OursProcessOptions) => {
  // float32 is the default.
  const wished: EngineOptions & { dtype?: 'int8' } = { ...options, ...(dtype === 'int8' && { dtype }) };
  const engine = await Engine.open(wished);
  const encode = async (texts: readonly string[]): Promise<Float32Array> => {
    const { values, failures } = await engine.encode(texts, {}, { lane: 'bulk' });
    const [failure] = failures;
    if (failure !== undefined) throw new FarmError(failure.code, failure.message);
    return values;
  };
  return { runner: new ContenderRunner(encode), close: () => engine.close() };
});
