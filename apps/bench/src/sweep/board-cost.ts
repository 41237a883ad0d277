import { FarmError } from '@embedfarm/contract';
import type { RunControl } from '../run-bench.ts';
import { BoardProcess } from './board-process.ts';
import { measureRounds } from './measure-rounds.ts';
import type { Measured, PointLoad } from './sweep-curve.ts';
import { modelNameOf, withTargetFarm, workerOf, workloadOf, type SweepTarget } from './sweep-target.ts';
import { warmUp } from './warm-up.ts';

export const WITHOUT_BOARD = 'no dashboard';
export const VIEWERS = 3;
export const WITH_BOARD = `dashboard with ${VIEWERS} viewers`;
export const BASELINE = 'baseline worker, no dashboard';

const CLIENTS = 16;
const LOOP_TEXTS = 2_048;
// A page is updated once a second: a few of them must fall into a measurement.
const MIN_SECONDS = 8;
const RAMP_SECONDS = 1;

/**
 * The same load without a dashboard and with one that three pages look at, in turn: CPU seconds by process. Where there is
 * a baseline, another checkout that is built, its worker takes the load in turn with ours.
 */
export function boardCost(target: SweepTarget, control: RunControl): Promise<Measured> {
  const { sizes, baseline } = target;
  const model = modelNameOf(target);
  const baselineModel = modelNameOf(target, '-baseline');
  const title = `board-cost, ${target.shape}`;
  return withTargetFarm(target, control, async (farm) => {
    control.say(`${title}: warm-up`);
    await warmUp(farm, model, workloadOf(target, sizes.bulkTexts));
    const seconds = target.quick ? sizes.seconds : Math.max(MIN_SECONDS, sizes.seconds);
    const loop = (asked = model) =>
      farm.loop(
        { model: asked, clients: CLIENTS, callTexts: 1, workload: workloadOf(target, LOOP_TEXTS) },
        { rampSeconds: Math.min(RAMP_SECONDS, seconds), seconds },
      );
    await loop();
    const points = [
      { series: WITHOUT_BOARD, x: 1, measure: () => loop() },
      { series: WITH_BOARD, x: 1, measure: () => withBoard(target, loop, control.signal) },
    ];
    if (baseline !== undefined) {
      await farm.openBaseline(baseline, workerOf(target, { name: baselineModel }));
      await warmUp(farm, baselineModel, workloadOf(target, sizes.bulkTexts));
      points.unshift({ series: BASELINE, x: 1, measure: () => loop(baselineModel) });
    }
    return {
      points: await measureRounds(title, points, sizes.rounds, control),
      notes: [
        `${CLIENTS} clients with one text a call, for ${seconds} s a measurement. CPU seconds a text are compared. What the ` +
          'dashboard costs is the CPU of its process, from its start-up being over, and what Redis takes more; workers and ' +
          'clients do the same in both. Statistics are written in both. A dashboard costs so much a second, whatever the load: on a machine that does ' +
          'other things too, fewer texts share it.',
        ...(baseline === undefined
          ? []
          : ['The baseline is the worker of another checkout; each is idle while the other has the load.']),
      ],
    };
  });
}

/** The dashboard's start is not part of what it costs. */
async function withBoard(
  { redis }: SweepTarget,
  loop: () => Promise<PointLoad>,
  signal: AbortSignal,
): Promise<PointLoad> {
  const board = await BoardProcess.open({ redis, viewers: VIEWERS }, signal);
  try {
    const before = await board.cpuSeconds();
    const load = await loop();
    const dashboard = (await board.cpuSeconds()) - before;
    if (board.events < VIEWERS) throw new FarmError('internal', 'the viewers of the dashboard saw nothing');
    return { ...load, cpuSeconds: { ...load.cpuSeconds, dashboard } };
  } finally {
    await board.close();
  }
}
