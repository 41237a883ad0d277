import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app';
import { FarmError } from '@embedfarm/contract';
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { withinDeadline } from '../within-deadline.ts';

/** A page of jobs is up to 70 of them, each up to 1 MB before it is cut. */
const ANSWER_DEADLINE_MS = 4_000;
/** Jobs of a state that are read for one page. */
const MAX_JOBS_PER_PAGE = 20;

/**
 * Serves bull-board without any of what it can do: of its routes those that look are there, and no others. Its page
 * asks nobody else for anything.
 */
export class ReadOnlyAdapter implements IServerAdapter {
  readonly router = Router();
  readonly #basePath: string;
  #queues: BullBoardQueues = new Map();
  #uiConfig: UIConfig = {};
  #page = '';
  #onError: (error: Error) => ControllerHandlerReturnType = () => ({ status: 500, body: {} });

  constructor(basePath: string) {
    this.#basePath = basePath;
  }

  setQueues(queues: BullBoardQueues): this {
    this.#queues = queues;
    return this;
  }

  setViewsPath(path: string): this {
    this.#page = ownPage(readFileSync(join(path, 'index.ejs'), 'utf8'));
    return this;
  }

  setStaticPath(route: string, path: string): this {
    this.router.use(route, express.static(path, { index: false }));
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.#uiConfig = config;
    return this;
  }

  setEntryRoute(entry: AppViewRoute): this {
    this.router.get(entry.route, (_request, response) => {
      const { params } = entry.handler({ basePath: this.#basePath, uiConfig: this.#uiConfig });
      response.set('Cache-Control', 'no-store').type('html').send(fill(this.#page, params));
    });
    return this;
  }

  setErrorHandler(handler: (error: Error) => ControllerHandlerReturnType): this {
    this.#onError = handler;
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    for (const route of routes) {
      if (route.method !== 'get') continue;
      this.router.get(route.route, async (request: Request, response: Response, next: NextFunction) => {
        const asked = Promise.resolve(
          route.handler({
            queues: this.#queues,
            uiConfig: this.#uiConfig,
            query: boundedQuery(request.query),
            params: request.params,
            body: {},
            headers: {},
          }),
        );
        try {
          const limits = { deadlineMs: ANSWER_DEADLINE_MS };
          const { status = 200, body } = await withinDeadline('the queues', asked, limits);
          response.status(status).set('Cache-Control', 'no-store').json(body);
        } catch (error) {
          if (error instanceof FarmError) return next(error);
          const { status = 500, body } = this.#onError(error instanceof Error ? error : new Error('unknown'));
          response.status(status).set('Cache-Control', 'no-store').json(body);
        }
      });
    }
    return this;
  }
}

function boundedQuery(query: Request['query']): Record<string, unknown> {
  const jobsPerPage = Number(query['jobsPerPage'] ?? MAX_JOBS_PER_PAGE);
  const isFewer = Number.isInteger(jobsPerPage) && jobsPerPage > 0 && jobsPerPage < MAX_JOBS_PER_PAGE;
  return { ...query, jobsPerPage: String(isFewer ? jobsPerPage : MAX_JOBS_PER_PAGE) };
}

/** Its page without what comes from elsewhere (fonts), and without what it shows before its script runs. */
function ownPage(page: string): string {
  return page
    .replaceAll(/<link[^>]*href="https?:[^>]*>/g, '')
    .replaceAll(/<style>[\s\S]*?<\/style>/g, '')
    .replaceAll(/ style="[^"]*"/g, '');
}

/** Its places for values: `<%= name %>` is text, `<%- name %>` JSON without `<` and `>`. */
function fill(page: string, params: Record<string, string>): string {
  return page.replaceAll(/<%([=-]) (\w+) %>/g, (_, kind: string, name: string) => {
    const value = String(params[name] ?? '');
    return kind === '-' ? value : escapeHtml(value);
  });
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
