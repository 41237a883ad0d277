import { BenchCurveStore } from '@embedfarm/farm/bench-curves';
import type { Shape } from '../bench-model.ts';
import { withBenchRedis } from '../bench-redis.ts';
import { readSetting } from '../machine.ts';
import { readRedisInfo } from '../redis-info.ts';
import type { RunControl } from '../run-bench.ts';
import { against } from './against.ts';
import { benchCurveOf } from './bench-curve-of.ts';
import { boardCost } from './board-cost.ts';
import { byBatch } from './by-batch.ts';
import { byClients } from './by-clients.ts';
import { byLayer } from './by-layer.ts';
import { byLength } from './by-length.ts';
import { byWorkers } from './by-workers.ts';
import { compareCurves } from './compare-curves.ts';
import { readSweepReport } from './read-sweep-report.ts';
import { termsKey, type CurveTerms, type Measured, type SweepCurve } from './sweep-curve.ts';
import type { SweepName } from './sweep-names.ts';
import { outFolder, sweepCommand, type SweepOptions } from './sweep-options.ts';
import { sweepTarget, type SweepTarget } from './sweep-target.ts';
import { writeSweepReport } from './write-sweep-report.ts';

interface Sweep {
  readonly shapes: readonly Shape[];
  /** Whether it needs the model's weights as Hugging Face lays them out. */
  readonly asHubModel?: true;
  readonly measure: (target: SweepTarget, control: RunControl) => Promise<Measured>;
}

/** All of them in 25 minutes on two cores. */
const RUNS: Readonly<Record<SweepName, Sweep>> = {
  'by-clients': { shapes: ['minilm', 'base'], measure: byClients },
  'by-length': { shapes: ['minilm', 'base'], measure: byLength },
  'by-batch': { shapes: ['minilm'], measure: byBatch },
  'by-workers': { shapes: ['minilm'], measure: byWorkers },
  'by-layer': { shapes: ['base'], asHubModel: true, measure: byLayer },
  against: { shapes: ['minilm'], asHubModel: true, measure: against },
  'board-cost': { shapes: ['minilm'], measure: boardCost },
};

const LIBRARIES = ['onnxruntime-node', 'bullmq', 'ioredis'];

/**
 * Benchmarks one after another, each model's results written and stored as soon as they are there. Nothing is left
 * running.
 *
 * @returns the Markdown of all.
 */
export async function runSweeps(
  names: readonly SweepName[],
  options: SweepOptions,
  control: RunControl,
): Promise<string> {
  const run = async (redis: string): Promise<string> => {
    const markdowns: string[] = [];
    for (const [index, name] of names.entries()) {
      if (names.length > 1) control.say(`${name}: benchmark ${index + 1} of ${names.length}`);
      markdowns.push(await runSweep(name, redis, options, control));
    }
    return markdowns.join('\n');
  };
  if (options.redis !== undefined) return run(options.redis);
  return withBenchRedis(control.say, ({ url }) => run(url));
}

async function runSweep(
  name: SweepName,
  redis: string,
  options: SweepOptions,
  control: RunControl,
): Promise<string> {
  const { shapes, asHubModel = false } = RUNS[name];
  const usual = options.quick ? (['tiny'] as const) : shapes;
  const chosen = options.model === undefined ? (options.shape ?? usual) : [undefined];
  const folder = outFolder(options);
  for (const shape of chosen) {
    control.signal.throwIfAborted();
    const target = await sweepTarget(shape, { redis, asHubModel }, options, control);
    const { curves: earlier } = await readSweepReport(folder, name, control.say);
    const curve = await measureCurve(name, target, options, earlier, control);
    if (curve === undefined) continue;
    const others = earlier.filter((one) => termsKey(one) !== termsKey(curve));
    await writeSweepReport(folder, { bench: name, curves: [...others, curve] });
    await store(curve, options, control);
  }
  return writeSweepReport(folder, await readSweepReport(folder, name, control.say));
}

/** @returns undefined where it need not be measured again. */
async function measureCurve(
  name: SweepName,
  target: SweepTarget,
  options: SweepOptions,
  earlier: readonly SweepCurve[],
  control: RunControl,
): Promise<SweepCurve | undefined> {
  const { shape, workload, workers, devices, sizes, seed, quick } = target;
  const terms: CurveTerms = { bench: name, shape, workload, workers, devices };
  const setting = await readSetting(sweepCommand(name, options), LIBRARIES, {
    redis: await redisVersion(target.redis),
  });
  const known = earlier.find((one) => termsKey(one) === termsKey(terms));
  if (
    options.resume &&
    known?.setting.commit === setting.commit &&
    known.setting.command === setting.command
  ) {
    control.say(`${name}, ${shape}: is there already`);
    return undefined;
  }
  const beganMs = performance.now();
  const { versions = {}, points, notes } = await RUNS[name].measure(target, control);
  const curve: SweepCurve = {
    ...terms,
    seed,
    rounds: sizes.rounds,
    quick,
    minutes: (performance.now() - beganMs) / 60_000,
    setting: { ...setting, versions: { ...setting.versions, ...versions } },
    notes,
    points,
  };
  const before = compareCurves(curve, earlier);
  return before === undefined ? curve : { ...curve, before };
}

/** In the farm that it was measured through, and in the one that only keeps curves. */
async function store(
  curve: SweepCurve,
  { redis, 'store-in': storeIn, 'no-store': isOff }: SweepOptions,
  { signal, say }: RunControl,
): Promise<void> {
  const kept = benchCurveOf(curve);
  if (isOff || kept === undefined) return;
  for (const url of new Set([redis, storeIn])) {
    if (url === undefined) continue;
    const curves = await BenchCurveStore.open({ redis: url }, { signal });
    try {
      await curves.put([kept]);
    } finally {
      curves.close();
    }
    say(`${curve.bench}, ${curve.shape}: stored for the page of the farm`);
  }
}

async function redisVersion(url: string): Promise<string> {
  const parsed = new URL(url);
  return parsed.protocol === 'redis:' ? (await readRedisInfo(parsed)).version : 'unknown';
}
