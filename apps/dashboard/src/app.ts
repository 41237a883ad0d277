import { fileURLToPath } from 'node:url';
import { PROBES, type Probed } from '@embedfarm/service/probe';
import type { FarmQueues } from '@embedfarm/farm/queues';
import { FarmError } from '@embedfarm/contract';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { guard, signInRoutes } from './access/guard.ts';
import { actionRoutes, sessionRoute, type ActionParts } from './actions/action-routes.ts';
import { refusal, requestFailure, send } from './answers.ts';
import { answer, API, faultAnswer } from './api.ts';
import { newestSecond, snapshotText } from './board-event.ts';
import { QUEUES_PATH, queuesPage } from './queues/queues-page.ts';
import { security } from './security.ts';
import type { Viewers } from './viewers.ts';

// Right from src/ as from dist/.
const PAGE_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));

export interface AppParts extends ActionParts {
  readonly viewers: Viewers;
  readonly probed: Probed;
  readonly queues: Pick<FarmQueues, 'of'>;
}

/** The page, its API and its event stream over one shared state, and what watches the process. */
export function dashboardApp(parts: AppParts): Express {
  const { state, viewers, probed, access, queues, logger } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.use(security(), guard(access), signInRoutes(access));
  for (const [path, handler] of Object.entries(API)) {
    app.get(path, (request, response) => {
      send(response, answer(handler, state(), { ...request.query }));
    });
  }
  for (const path of ['/metrics', '/readyz'] as const) {
    app.get(path, async (_request, response) => {
      const { status, type, body } = await PROBES[path](probed);
      response.status(status).set({ 'Content-Type': type, 'Cache-Control': 'no-store' }).send(body);
    });
  }
  app.get('/api/events', (request, response) => {
    // A HEAD answer has no end to wait for.
    if (request.method === 'HEAD') response.type('text/event-stream').end();
    else if (!viewers.add(response, snapshotText(state()), newestSecond(state()))) {
      send(response, tooManyViewers);
    }
  });
  app.use(sessionRoute(access), actionRoutes(parts));
  refuseOtherMethods(app);
  app.use(QUEUES_PATH, queuesPage(state, queues));
  app.use(express.static(PAGE_FOLDER));
  app.use((request, response) => {
    send(response, refusal(404, 'not_found', `nothing at ${request.path}`));
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const told = error instanceof FarmError ? faultAnswer(error) : requestFailure(error);
    if (told.status === 500) logger?.error({ err: error }, 'dashboard: a request failed');
    if (response.headersSent) next(error);
    else send(response, told);
  });
  return app;
}

const tooManyViewers = refusal(503, 'overloaded', 'too many open pages; close one and try again');

/** What is there, but not by this method. */
function refuseOtherMethods(app: Express): void {
  const looks = [...Object.keys(API), '/metrics', '/readyz', '/api/events', '/api/session'];
  const acts = ['/sign-in', '/api/requests/:id/cancel', '/api/requests/:id/retry'];
  for (const [paths, allowed] of [
    [looks, 'GET, HEAD'],
    [acts, 'POST'],
  ] as const) {
    app.all(paths, (_request, response) => {
      response.set('Allow', allowed);
      send(response, refusal(405, 'invalid_argument', `only by ${allowed}`));
    });
  }
}
