import { FarmError } from '@embedfarm/contract';
import type { Shape } from './bench-model.ts';
import type { EngineTarget } from './engine-target.ts';
import type { FarmTarget } from './farm-target.ts';
import type { LoadResult, LoopResult } from './load-result.ts';
import type { LoadSizes } from './load-sizes.ts';
import { latencyOf, type Latency } from './percentile.ts';
import type { WorkloadName } from './sequence-lengths.ts';
import type { WorkloadSpec } from './workload.ts';

/** One measured round: each target alone, one after the other. */
export interface Round {
  readonly engine: { readonly bulk: LoadResult; readonly single: Latency };
  readonly sdk: { readonly bulk: LoadResult; readonly single: Latency; readonly loop: LoopResult };
}

/** A model under a workload. */
export interface MeasuredCase {
  readonly shape: Shape;
  readonly workload: WorkloadName;
  readonly sizes: LoadSizes;
  readonly rounds: readonly Round[];
}

export interface Targets {
  readonly engine: EngineTarget;
  readonly farm: FarmTarget;
}

const WARM_UP = { texts: 256, calls: 8, loop: { rampSeconds: 0, seconds: 1 } };

/**
 * A warm-up, then the rounds.
 *
 * @throws FarmError `internal` when engine and farm give different vectors; `cancelled` on abort.
 */
export async function measureCase(
  { engine, farm }: Targets,
  { shape, workload: name, seed }: { shape: Shape; workload: WorkloadName; seed: number },
  sizes: LoadSizes,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): Promise<MeasuredCase> {
  const title = `${shape}, ${name}`;
  const workload = { name, seed, texts: sizes.bulkTexts };
  say(`${title}: warm-up`);
  await warmUp(
    { engine, farm },
    { ...workload, texts: Math.min(WARM_UP.texts, sizes.bulkTexts) },
    sizes,
    signal,
  );
  const rounds: Round[] = [];
  while (rounds.length < sizes.rounds) {
    signal.throwIfAborted();
    const round = await measureRound({ engine, farm }, workload, sizes, signal);
    rounds.push(round);
    say(`${title}: round ${rounds.length} of ${sizes.rounds}: ${outline(round)}`);
  }
  return { shape, workload: name, sizes, rounds };
}

async function measureRound(
  { engine, farm }: Targets,
  workload: WorkloadSpec,
  { singleCalls, loop }: LoadSizes,
  signal: AbortSignal,
): Promise<Round> {
  const engineBulk = await engine.bulk(workload);
  const farmBulk = await farm.bulk(workload);
  if (engineBulk.digest !== farmBulk.digest) {
    throw new FarmError('internal', 'the farm gave other vectors than the engine alone');
  }
  const engineSingle = latencyOf(await engine.singles(workload, singleCalls));
  const farmSingle = latencyOf(await farm.singles(workload, singleCalls));
  const loopResult = await farm.loop(workload, loop, signal);
  return {
    engine: { bulk: engineBulk.load, single: engineSingle },
    sdk: { bulk: farmBulk.load, single: farmSingle, loop: loopResult },
  };
}

/** Code is compiled, caches are filled, every connection was used. */
async function warmUp(
  { engine, farm }: Targets,
  workload: WorkloadSpec,
  { loop }: LoadSizes,
  signal: AbortSignal,
): Promise<void> {
  for (const target of [engine, farm]) {
    await target.bulk(workload);
    await target.singles(workload, WARM_UP.calls);
  }
  await farm.loop(
    workload,
    { ...WARM_UP.loop, seconds: Math.min(WARM_UP.loop.seconds, loop.seconds) },
    signal,
  );
}

function outline({ engine, sdk }: Round): string {
  const rate = ({ textsPerSecond }: LoadResult): string => `${textsPerSecond.toFixed(0)} texts/s`;
  return (
    `engine ${rate(engine.bulk)}, ${engine.single.p50Ms.toFixed(1)} ms; ` +
    `sdk ${rate(sdk.bulk)}, ${sdk.single.p50Ms.toFixed(1)} ms, ${sdk.loop.clients} clients ${rate(sdk.loop)}`
  );
}
