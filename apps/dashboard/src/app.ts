import { fileURLToPath } from 'node:url';
import { PROBES, type Probed } from '@embedfarm/service/probe';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { answer, API, type Answer } from './api.ts';
import { snapshotEvent } from './board-event.ts';
import type { BoardState } from './board-state.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import type { Viewers } from './viewers.ts';

// Right from src/ as from dist/.
const PAGE_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));

/** The page, its API and its event stream over one shared state, and what watches the process. */
export function dashboardApp(state: () => BoardState, viewers: Viewers, probed: Probed): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set(SECURITY_HEADERS);
    next();
  });
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
    else if (!viewers.add(response, snapshotEvent(state()))) send(response, tooManyViewers);
  });
  app.use(express.static(PAGE_FOLDER));
  app.use((request, response) => {
    send(response, failure(404, 'not_found', `nothing at ${request.path}`));
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else send(response, requestFailure(error));
  });
  return app;
}

function send(response: Response, { status, body }: Answer): void {
  response.status(status).set('Cache-Control', 'no-store').json(body);
}

const tooManyViewers = failure(503, 'overloaded', 'too many open pages; close one and try again');

/** What Express throws on a broken request has a status; its message may hold paths and stays here. */
function requestFailure(error: unknown): Answer {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500
    ? failure(status, 'invalid_argument', 'the request is malformed')
    : failure(500, 'internal', 'the dashboard failed; its log says more');
}

function failure(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } };
}
