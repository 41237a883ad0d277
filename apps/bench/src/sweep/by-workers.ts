import { availableParallelism } from 'node:os';
import type { RunControl } from '../run-bench.ts';
import { measureRounds } from './measure-rounds.ts';
import type { Measured } from './sweep-curve.ts';
import { SweepFarm } from './sweep-farm.ts';
import { modelNameOf, workerOf, workloadOf, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

export const WORKERS_SERIES = 'shared calls';

// Enough under way that no worker is without.
const CLIENTS = 16;
const LOOP_TEXTS = 2_048;
const RAMP_SECONDS = 1;

/**
 * Throughput against the number of worker processes, each with an equal part of the cores. Each number of workers serves
 * a model name of its own, so that all are there at once and can be measured in turn.
 */
export function byWorkers(target: SweepTarget, control: RunControl): Promise<Measured> {
  const { sizes, devices } = target;
  const cores = availableParallelism();
  const coresEach = Math.max(1, Math.floor(cores / Math.max(...sizes.workers)));
  const devicesEach = devices === 'cpu' ? `cpu:${coresEach}` : devices;
  const nameOf = (workers: number): string => modelNameOf(target, `-w${workers}`);
  const workers = sizes.workers.flatMap((count) =>
    Array.from({ length: count }, () => workerOf(target, { name: nameOf(count), devices: devicesEach })),
  );
  const title = `by-workers, ${target.shape}`;
  control.say(`${title}: opening ${workers.length} workers`);
  return SweepFarm.with({ redis: target.redis, workers }, control.signal, async (farm) => {
    const loop = (count: number, seconds: number) => {
      const callTexts = sizes.sharedCallTexts;
      const workload = workloadOf(target, Math.max(LOOP_TEXTS, CLIENTS * callTexts));
      const asked = { model: nameOf(count), clients: CLIENTS, callTexts, workload };
      return farm.loop(asked, { rampSeconds: Math.min(RAMP_SECONDS, seconds), seconds });
    };
    for (const count of sizes.workers) {
      await warmUp(farm, nameOf(count), workloadOf(target, sizes.bulkTexts));
    }
    const points = sizes.workers.map((count) => ({
      series: WORKERS_SERIES,
      x: count,
      measure: () => loop(count, sizes.seconds),
    }));
    const beyond = sizes.workers.filter((count) => count * coresEach > cores);
    return {
      points: await measureRounds(title, points, sizes.rounds, control),
      notes: [
        `Each worker has the devices \`${devicesEach}\` of ${cores} cores; ${CLIENTS} clients with calls of ` +
          `${sizes.sharedCallTexts} texts share the same cores, and so does Redis.`,
        ...(devices === 'cpu' && beyond.length > 0
          ? [`${beyond.join(' and ')} workers are more than there are cores, and share them.`]
          : []),
      ],
    };
  });
}
