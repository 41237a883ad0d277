import { parseOptions } from '@embedfarm/contract';
import { Inspector } from '@embedfarm/farm/inspect';
import { Board } from './board.ts';
import { dashboardOptionsSchema, type DashboardOptions } from './dashboard-options.ts';
import { inspectorView } from './inspector-view.ts';
import { serveBoard, type RunningDashboard } from './serve-board.ts';

/**
 * The page on a port. Redis may be down: the dashboard opens, says so, and goes on when Redis does.
 *
 * @throws FarmError `invalid_argument` for a bad option, or a port that is taken.
 */
export async function openDashboard(options: DashboardOptions): Promise<RunningDashboard> {
  const { redis, prefix, port, host, logger } = parseOptions(
    'dashboard options',
    dashboardOptionsSchema,
    options,
  );
  const view = prefix === undefined ? { redis } : { redis, prefix };
  const board = await Board.open({
    openView: async (signal) => inspectorView(await Inspector.open(view, { signal })),
    logger,
  });
  try {
    return await serveBoard(board, { port, host, logger });
  } catch (error) {
    await board.close();
    throw error;
  }
}
