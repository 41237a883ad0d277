import { parseOptions } from '@embedfarm/contract';
import { Inspector } from '@embedfarm/farm/inspect';
import { FarmQueues } from '@embedfarm/farm/queues';
import { producerActions } from './actions/farm-actions.ts';
import { Board } from './board.ts';
import { dashboardOptionsSchema, type DashboardOptions } from './dashboard-options.ts';
import { serveBoard, type RunningDashboard } from './serve-board.ts';

/**
 * The page on a port. Redis may be down: the dashboard opens, says so, and goes on when Redis does.
 *
 * @throws FarmError `invalid_argument` for a bad option, or a port that is taken.
 */
export async function openDashboard(options: DashboardOptions): Promise<RunningDashboard> {
  const { redis, prefix, ...serve } = parseOptions('dashboard options', dashboardOptionsSchema, options);
  const farm = prefix === undefined ? { redis } : { redis, prefix };
  const board = await Board.open({
    openView: (signal) => Inspector.open(farm, { signal }),
    logger: serve.logger,
  });
  const queues = FarmQueues.open(farm);
  try {
    return await serveBoard(board, { ...serve, actions: producerActions(farm), queues });
  } catch (error) {
    await Promise.all([board.close(), queues.close()]);
    throw error;
  }
}
