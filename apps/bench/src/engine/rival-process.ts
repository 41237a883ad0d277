import { basename, dirname } from 'node:path';
import { serveBench } from '../serve-bench.ts';
import { ContenderRunner } from './contender-runner.ts';

/** transformers.js in a process of its own. */
export interface RivalProcessOptions {
  /** Its module, as a file URL. */
  readonly library: string;
  readonly model: string;
  readonly dtype: 'fp32' | 'q8';
}

/** What we use of `@huggingface/transformers`, which is no dependency. */
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly pipeline: (
    task: 'feature-extraction',
    model: string,
    options: { device: 'cpu'; dtype: RivalProcessOptions['dtype'] },
  ) => Promise<FeatureExtraction>;
}
interface FeatureExtraction {
  (
    texts: readonly string[],
    options: { pooling: 'mean'; normalize: true },
  ): Promise<{ readonly data: Float32Array }>;
  dispose(): Promise<unknown>;
}

// The entry of a process: measured-process.ts starts it.
await serveBench('rival', async ({ library, model, dtype }: RivalProcessOptions) => {
  const { env, pipeline } = (await import(library)) as TransformersJs;
  env.allowRemoteModels = false;
  env.localModelPath = dirname(model);
  // Everything else as it ships, the threads of the session too.
  const extract = await pipeline('feature-extraction', basename(model), { device: 'cpu', dtype });
  const encode = async (texts: readonly string[]): Promise<Float32Array> =>
    (await extract(texts, { pooling: 'mean', normalize: true })).data;
  return {
    runner: new ContenderRunner(encode),
    close: async () => void (await extract.dispose()),
  };
});
