import { availableParallelism } from 'node:os';
import type { RunControl } from '../run-bench.ts';
import { measureRounds, type PlannedPoint } from './measure-rounds.ts';
import type { Measured } from './sweep-curve.ts';
import { MAX_CLIENT_PROCESSES } from './sweep-farm.ts';
import { modelNameOf, withTargetFarm, workloadOf, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

/** Clients with one text a call. */
export const ONE_TEXT = 'one text a call';
/** One call of one client. */
export const BULK = 'one bulk call';
/** As bert-as-service's benchmark asks. */
export const callsOf = (callTexts: number): string => `${callTexts} texts a call`;

const LOOP_TEXTS = 2_048;
const WARM_UP_SECONDS = 4;
const MIN_RAMP_SECONDS = 0.5;
// The clients' first calls come all at once; from their second on they are spread as they will be.
const RAMP_CALLS = 1.5;

/** Total throughput against the number of clients, in calls of one text and in calls of many, beside one bulk call. */
export function byClients(target: SweepTarget, control: RunControl): Promise<Measured> {
  const { sizes } = target;
  const { seconds, seedCallTexts, bulkTexts } = sizes;
  const model = modelNameOf(target);
  const title = `by-clients, ${target.shape}`;
  return withTargetFarm(target, control, async (farm) => {
    control.say(
      `${title}: warm-up, with ${Math.min(Math.max(...sizes.clients), MAX_CLIENT_PROCESSES)} processes`,
    );
    const rate = await warmUp(farm, model, workloadOf(target, bulkTexts));
    const loop = (clients: number) =>
      farm.loop(
        { model, clients, callTexts: 1, workload: workloadOf(target, LOOP_TEXTS) },
        { rampSeconds: Math.max(MIN_RAMP_SECONDS, (RAMP_CALLS * clients) / rate), seconds },
      );
    const calls = (clients: number) =>
      farm.calls({
        model,
        clients,
        callTexts: seedCallTexts,
        calls: Math.max(1, Math.round((rate * seconds) / (clients * seedCallTexts))),
        workload: workloadOf(target, seedCallTexts),
      });
    // A hundred calls of each, of the shortest texts: a client that has made ten still compiles what it runs.
    await farm.loop(
      {
        model,
        clients: Math.min(Math.max(...sizes.clients), MAX_CLIENT_PROCESSES),
        callTexts: 1,
        workload: { ...workloadOf(target, LOOP_TEXTS), name: 'uniform-3' },
      },
      { rampSeconds: 0, seconds: target.quick ? seconds : WARM_UP_SECONDS },
    );
    const bulk: PlannedPoint = {
      series: BULK,
      x: 1,
      measure: () =>
        farm.calls({
          model,
          clients: 1,
          callTexts: bulkTexts,
          calls: 1,
          workload: workloadOf(target, bulkTexts),
        }),
    };
    const points: PlannedPoint[] = sizes.clients.flatMap((clients) => [
      // Beside what it is compared with.
      ...(clients === reachClients(sizes.clients) ? [bulk] : []),
      { series: ONE_TEXT, x: clients, measure: () => loop(clients) },
      ...(clients > MAX_CLIENT_PROCESSES
        ? []
        : [{ series: callsOf(seedCallTexts), x: clients, measure: () => calls(clients) }]),
    ]);
    return {
      points: await measureRounds(title, points, sizes.rounds, control),
      notes: [
        `Redis, workers and clients share ${availableParallelism()} cores. Up to ${MAX_CLIENT_PROCESSES} clients each has a ` +
          `process of its own; beyond, a process has several SDK instances. The bulk call has ${bulkTexts} texts.`,
      ],
    };
  });
}

/** The number of clients that a bulk call is compared with: 32, where it is measured. */
export function reachClients(clients: readonly number[]): number {
  return clients.includes(32) ? 32 : Math.max(...clients);
}
