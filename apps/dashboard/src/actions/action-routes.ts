import { FarmError, parseOptions, parseRequestId } from '@embedfarm/contract';
import type { Logger } from '@embedfarm/service/logger';
import express, { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import type { BoardAccess } from '../access/board-access.ts';
import { fromOwnPage, mayAct } from '../access/guard.ts';
import { refusal, send } from '../answers.ts';
import { faultAnswer } from '../api.ts';
import type { BoardSession } from '../board-shape.ts';
import type { BoardState } from '../board-state.ts';
import { QUEUES_PATH } from '../queues/queues-page.ts';
import type { FarmActions } from './farm-actions.ts';

const MAX_BODY_BYTES = 1_024;

/** An action says all in its path. */
const bodySchema = z.strictObject({}).optional();

export interface ActionParts {
  readonly access: BoardAccess;
  readonly state: () => BoardState;
  readonly actions: FarmActions;
  readonly logger?: Logger | undefined;
}

/** `POST /api/requests/:id/cancel` and `…/retry`, with a JSON body or none. */
export function actionRoutes({ access, state, actions, logger }: ActionParts): Router {
  const router = Router();
  const body = [fromOwnPage, jsonOnly, express.json({ limit: MAX_BODY_BYTES })];
  const once = new Once();
  for (const name of ['cancel', 'retry'] as const) {
    router.post(`/api/requests/:id/${name}`, mayAct(access), ...body, async (request, response) => {
      try {
        parseOptions('body', bodySchema, request.body);
        const id = parseRequestId(request.params['id']);
        if (state().redis === 'down') throw new FarmError('redis_unavailable', 'Redis does not answer');
        logger?.info({ requestId: id }, `dashboard: ${name}`);
        const done = await once.run<unknown>(`${name} ${id}`, () => actions[name](id));
        send(response, { status: 200, body: done });
      } catch (fault) {
        if (FarmError.from(fault).code === 'internal')
          logger?.error({ err: fault }, `dashboard: ${name} failed`);
        send(response, faultAnswer(fault));
      }
    });
  }
  return router;
}

/** `GET /api/session`: what a viewer may do. */
export function sessionRoute({ hasKey }: BoardAccess): Router {
  // Who is asked is in already.
  const session: BoardSession = { hasKey, canAct: hasKey, queuesPath: `.${QUEUES_PATH}/` };
  const router = Router();
  router.get('/api/session', (_request, response) => {
    send(response, { status: 200, body: session });
  });
  return router;
}

/** A form of somebody else's page can send neither this type nor, to another host, ask whether it may. */
const jsonOnly: RequestHandler = (request, response, next) => {
  const type = request.headers['content-type'] ?? '';
  if (/^application\/json\s*(;|$)/i.test(type)) return next();
  return send(
    response,
    refusal(415, 'invalid_argument', 'send the action with Content-Type: application/json'),
  );
};

/** Two clicks are one action. */
class Once {
  readonly #running = new Map<string, Promise<unknown>>();

  async run<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
    const known = this.#running.get(name) as Promise<Result> | undefined;
    if (known) return await known;
    const running = action().finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return await running;
  }
}
