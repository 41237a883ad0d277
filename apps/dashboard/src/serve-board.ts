import type { FarmQueues } from '@embedfarm/farm/queues';
import type { Logger } from '@embedfarm/service/logger';
import { closeServer, listen, urlOf } from '@embedfarm/service/listen';
import { BoardAccess } from './access/board-access.ts';
import type { FarmActions } from './actions/farm-actions.ts';
import { dashboardApp } from './app.ts';
import { BoardProbes } from './board-probes.ts';
import type { Board } from './board.ts';
import { eventSince, eventText, newestSecond, updateEvent } from './board-event.ts';
import { Viewers } from './viewers.ts';

const UPDATE_EVERY_MS = 1_000;

export interface RunningDashboard {
  readonly url: string;
  /** Ends every page's stream and lets go of Redis. Safe to call twice. */
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  /** Without it anyone may look, and nobody may act. */
  readonly key?: string | undefined;
  readonly actions: FarmActions;
  readonly queues: Pick<FarmQueues, 'of' | 'close'>;
  readonly logger?: Logger | undefined;
}

/** Puts the board on a port and keeps it fresh. Takes it and the queues over: closing the dashboard closes both. */
export async function serveBoard(
  board: Board,
  { port, host, key, actions, queues, logger }: ServeOptions,
): Promise<RunningDashboard> {
  const viewers = new Viewers();
  const access = new BoardAccess(key);
  const probed = new BoardProbes(board);
  const state = () => board.state;
  const app = dashboardApp({ state, viewers, probed, access, actions, queues, logger });
  const server = await listen(app, port, host);
  let updating: Promise<void> | undefined;
  const update = async (): Promise<void> => {
    try {
      const updated = await board.update();
      if (viewers.size === 0) return;
      viewers.send({
        second: newestSecond(updated),
        text: eventText(updateEvent(updated)),
        since: (second) => eventText(eventSince(updated, second)),
      });
    } catch (error) {
      logger?.error(`dashboard: ${String(error)}`);
    } finally {
      updating = undefined;
    }
  };
  const timer = setInterval(() => {
    updating ??= update();
  }, UPDATE_EVERY_MS);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    clearInterval(timer);
    viewers.close();
    await closeServer(server);
    await updating;
    await Promise.all([board.close(), queues.close()]);
  };
  return { url: urlOf(server), close: () => (closing ??= close()) };
}
