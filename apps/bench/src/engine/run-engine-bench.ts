import { join } from 'node:path';
import { benchModel, type Shape } from '../bench-model.ts';
import { withBenchRedis } from '../bench-redis.ts';
import { readSetting } from '../machine.ts';
import type { RunControl } from '../run-bench.ts';
import { sequenceLengths } from '../sequence-lengths.ts';
import { agreementOf } from './agreement.ts';
import { closeContenders, openContenders } from './contenders.ts';
import { CALL_TEXTS, LENGTHS, measureBatches, measureLengths, type Curve } from './curves.ts';
import { engineBenchCommand, type EngineBenchOptions } from './engine-bench-options.ts';
import type { EngineMeasurements, EngineReport } from './engine-report.ts';
import { engineReach } from './engine-targets.ts';
import { measureFarmBatches } from './farm-curve.ts';
import { hubModel } from './hub-model.ts';
import { installRival, type InstalledRival } from './install-rival.ts';
import { measureMemory } from './memory.ts';
import { measurePeak } from './peak.ts';
import { soak } from './soak.ts';
import { measureSpeed, type Measuring } from './speed.ts';
import { measureThreads } from './threads.ts';

type Gathered = { -readonly [Section in keyof EngineMeasurements]: [...EngineMeasurements[Section]] };

const LIBRARIES = ['onnxruntime-node', 'tokenizers'];

// Base needs longer: a measurement of less than four seconds is of a few batches.
const SECONDS: Record<Shape, number> = { tiny: 1, minilm: 2.5, base: 4 };
// A curve has many points, which are seen together.
const CURVE = { seconds: 1, minRounds: 1 };
const QUICK = { rounds: 2, seconds: 0.1, lengths: [16, 512], callTexts: [1, 64] };
/** Blocks of the mix whose mean length stands for all of it. */
const MIX_TEXTS = 2_048;

/** Every section that was asked for, model by model. Nothing is left running. */
export async function runEngineBench(
  options: EngineBenchOptions,
  control: RunControl,
): Promise<EngineReport> {
  const beginMs = performance.now();
  const { quick, seed, devices } = options;
  const rival = quick || options.alone ? undefined : await installRival(options['cache-dir'], control.say);
  const shapes: readonly Shape[] = options.shapes ?? (quick ? ['tiny'] : ['minilm', 'base']);
  const rounds = options.rounds ?? (quick ? QUICK.rounds : 5);
  const gathered: Gathered = {
    agreements: [],
    speed: [],
    lengths: [],
    batches: [],
    farm: [],
    threads: [],
    peak: [],
    memory: [],
    soak: [],
  };
  for (const shape of shapes) {
    control.say(`${shape}: writing the model, where it is not there yet`);
    const model = await hubModel(shape, options['cache-dir']);
    const seconds = options.seconds ?? (quick ? QUICK.seconds : SECONDS[shape]);
    const target = { shape, model, isFirst: shape === shapes[0], isLast: shape === shapes.at(-1) };
    const measuring = { ...control, rounds, seconds, seed };
    await measureAgainst(gathered, target, rival, options, measuring);
    if (options.sections.includes('farm') && target.isFirst) {
      gathered.farm.push(await measureFarm(shape, options, measuring));
    }
    await measureAlone(gathered, target, options, measuring);
  }
  return {
    ...(await readSetting(engineBenchCommand(options), LIBRARIES, rival?.versions ?? {})),
    quick,
    seed,
    devices,
    rounds,
    minutes: (performance.now() - beginMs) / 60_000,
    reach: engineReach(gathered),
    ...gathered,
  };
}

interface Target {
  readonly shape: Shape;
  readonly model: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** The sections that set our engine beside transformers.js, all with the same open processes. */
async function measureAgainst(
  gathered: Gathered,
  { shape, model, isFirst }: Target,
  rival: InstalledRival | undefined,
  { sections, workloads, dtypes, devices, quick, seed, ...options }: EngineBenchOptions,
  measuring: Measuring,
): Promise<void> {
  const wanted = sections.filter(
    (section) => section === 'speed' || section === 'lengths' || (section === 'batches' && isFirst),
  );
  if (wanted.length === 0) return;
  measuring.say(`${shape}: opening the contenders`);
  const cacheDir = engineCache(options);
  const contenders = await openContenders(
    { model, dtypes, devices, cacheDir, library: rival?.library },
    measuring.signal,
  );
  try {
    for (const agreement of await agreementOf(contenders, seed))
      gathered.agreements.push({ shape, ...agreement });
    for (const workload of wanted.includes('speed') ? workloads : []) {
      const tokensPerText = meanLength(workload, seed);
      gathered.speed.push(await measureSpeed(contenders, { shape, workload, tokensPerText }, measuring));
    }
    const curve = curveMeasuring(measuring);
    if (wanted.includes('lengths')) {
      const lengths = quick ? QUICK.lengths : LENGTHS;
      gathered.lengths.push(...(await measureLengths(contenders, shape, lengths, curve)));
    }
    if (wanted.includes('batches')) {
      const sizes = quick ? QUICK.callTexts : CALL_TEXTS;
      gathered.batches.push(...(await measureBatches(contenders, shape, sizes, curve)));
    }
  } finally {
    await closeContenders(contenders);
  }
}

/** The calls of `batches`, through Redis. */
async function measureFarm(
  shape: Shape,
  { quick, devices, 'cache-dir': cacheDir }: EngineBenchOptions,
  measuring: Measuring,
): Promise<Curve> {
  const model = await benchModel(shape, cacheDir);
  const sizes = quick ? QUICK.callTexts : CALL_TEXTS;
  return withBenchRedis(measuring.say, (redis) =>
    measureFarmBatches({ shape, model, devices, redis }, sizes, curveMeasuring(measuring)),
  );
}

function curveMeasuring(measuring: Measuring): Measuring {
  const seconds = Math.min(measuring.seconds, CURVE.seconds);
  return { ...measuring, seconds, rounds: Math.max(CURVE.minRounds, Math.floor(measuring.rounds / 2)) };
}

/** The sections that look at our engine alone. */
async function measureAlone(
  gathered: Gathered,
  { shape, model, isLast }: Target,
  { sections, devices, seed, 'soak-minutes': minutes, ...options }: EngineBenchOptions,
  measuring: Measuring,
): Promise<void> {
  const target = { shape, model, cacheDir: engineCache(options) };
  if (sections.includes('threads')) gathered.threads.push(await measureThreads(target, measuring));
  if (sections.includes('peak')) {
    const tokensPerText = meanLength('mix', seed);
    gathered.peak.push(await measurePeak({ ...target, devices, tokensPerText }, measuring));
  }
  if (sections.includes('memory') && isLast) {
    const memory = await measureMemory(target, measuring);
    if (memory !== undefined) gathered.memory.push(memory);
  }
  if (minutes > 0 && isLast) {
    const { signal, say } = measuring;
    const result = await soak({ ...target, devices }, { minutes, seed, signal, say });
    if (result !== undefined) gathered.soak.push(result);
  }
}

/** Where our engine keeps what it makes of the weights: the user's own cache is left alone. */
function engineCache(options: Pick<EngineBenchOptions, 'cache-dir'>): string {
  return join(options['cache-dir'], 'engine');
}

function meanLength(workload: 'mix' | 'uniform-40', seed: number): number {
  const lengths = sequenceLengths(workload, MIX_TEXTS, seed);
  return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
}
