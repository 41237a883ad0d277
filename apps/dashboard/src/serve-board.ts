import type { Logger } from '@embedfarm/service/logger';
import { dashboardApp } from './app.ts';
import { BoardProbes } from './board-probes.ts';
import type { Board } from './board.ts';
import { eventText, updateEvent } from './board-event.ts';
import { closeServer, listen, urlOf } from '@embedfarm/service/listen';
import { Viewers } from './viewers.ts';

const UPDATE_EVERY_MS = 1_000;

export interface RunningDashboard {
  readonly url: string;
  /** Ends every page's stream and lets go of Redis. Safe to call twice. */
  close(): Promise<void>;
}

/** Puts the board on a port and keeps it fresh. Takes it over: closing the dashboard closes the board. */
export async function serveBoard(
  board: Board,
  { port, host, logger }: { port: number; host: string; logger?: Logger | undefined },
): Promise<RunningDashboard> {
  const viewers = new Viewers();
  const server = await listen(
    dashboardApp(() => board.state, viewers, new BoardProbes(board)),
    port,
    host,
  );
  let updating: Promise<void> | undefined;
  const update = async (): Promise<void> => {
    try {
      const state = await board.update();
      if (viewers.size > 0) viewers.send(eventText(updateEvent(state)));
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
    await board.close();
  };
  return { url: urlOf(server), close: () => (closing ??= close()) };
}
