import type { RedisServer } from '@embedfarm/service/start-redis-server';
import { benchModel, type Shape } from './bench-model.ts';
import { benchCommand, type BenchOptions } from './bench-options.ts';
import { withBenchRedis } from './bench-redis.ts';
import { EngineTarget } from './engine-target.ts';
import { FarmTarget } from './farm-target.ts';
import { loadSizes } from './load-sizes.ts';
import { readSetting } from './machine.ts';
import { measureCase, type MeasuredCase } from './measure-case.ts';
import { readRedisInfo } from './redis-info.ts';
import type { BenchReport } from './report.ts';
import { summarize } from './summary.ts';

const LIBRARIES = ['onnxruntime-node', 'bullmq', 'ioredis'];

/** What stops a run, and what tells of it. */
export interface RunControl {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Every model under every workload, on a Redis of the bench's own. Nothing is left running. */
export function runBench(options: BenchOptions, control: RunControl): Promise<BenchReport> {
  return withBenchRedis(control.say, async (redis) => {
    const shapes: readonly Shape[] = options.shapes ?? (options.quick ? ['tiny'] : ['minilm', 'base']);
    const cases: MeasuredCase[] = [];
    for (const shape of shapes) cases.push(...(await measureShape(shape, redis, options, control)));
    const { version } = await readRedisInfo(redis.port);
    const { quick, seed, devices } = options;
    return {
      ...(await readSetting(benchCommand(options), LIBRARIES, { redis: version })),
      quick,
      seed,
      devices,
      summaries: cases.map(summarize),
      cases,
    };
  });
}

async function measureShape(
  shape: Shape,
  redis: RedisServer,
  options: BenchOptions,
  control: RunControl,
): Promise<MeasuredCase[]> {
  const { signal, say } = control;
  const sizes = loadSizes(shape, options);
  const { devices, seed } = options;
  say(`${shape}: opening the model twice, for the engine alone and for the farm's worker`);
  const model = await benchModel(shape, options['cache-dir']);
  const engine = await EngineTarget.open({ model, devices }, signal);
  try {
    const farm = await FarmTarget.open({ redis, model, name: shape, devices, ...sizes }, signal);
    try {
      const cases: MeasuredCase[] = [];
      for (const workload of options.workloads) {
        cases.push(await measureCase({ engine, farm }, { shape, workload, seed }, sizes, control));
      }
      return cases;
    } finally {
      await farm.close();
    }
  } finally {
    await engine.close();
  }
}
