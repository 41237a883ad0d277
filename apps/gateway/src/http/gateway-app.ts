import { FarmError } from '@embedfarm/contract';
import type { Logger } from '@embedfarm/service/logger';
import { PROBES, type Probed } from '@embedfarm/service/probe';
import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import type { KeyRing } from '../keys/api-keys.ts';
import { keyOf } from '../keys/key-of.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import { Call, callOf, putCall } from './call.ts';
import { cors } from './cors.ts';
import { doorOf } from './door-of.ts';
import { answerFault } from './error-answer.ts';
import { toFault } from './fault.ts';
import type { OpenRequests } from './open-requests.ts';
import { requestId } from './request-id.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export interface GatewayAppParts {
  readonly open: OpenRequests;
  readonly metrics: GatewayMetrics;
  readonly probed: Probed;
  readonly draining: AbortSignal;
  readonly corsOrigins: readonly string[] | undefined;
  readonly keys: KeyRing | undefined;
  /** Open to all: what says how the doors are used. */
  readonly pages: Router;
  readonly doors: readonly Router[];
  readonly logger: Logger | undefined;
}

/** How long somebody that is told to go elsewhere may rest. */
const DRAIN_RETRY_MS = 1_000;

/** All doors, behind what they have in common. */
export function gatewayApp(parts: GatewayAppParts): Express {
  const { open, draining, corsOrigins, keys, pages, doors, probed, logger } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(begin(parts));
  for (const path of ['/healthz', '/readyz', '/metrics'] as const) {
    app.get(path, async (_request, response) => {
      const { status, type, body } = await PROBES[path](probed);
      response.status(status).set('Content-Type', type).send(body);
    });
  }
  if (corsOrigins) app.use(cors(corsOrigins));
  app.use((_request, response, next) => {
    if (draining.aborted) {
      response.set('Connection', 'close');
      throw new FarmError('no_worker', 'the gateway is closing: try another one', {
        retryAfterMs: DRAIN_RETRY_MS,
      });
    }
    open.check();
    next();
  });
  app.use(pages);
  if (keys) {
    app.use((request, response, next) => {
      callOf(response).key = keys.find(keyOf(request.headers));
      next();
    });
  }
  for (const door of doors) app.use(door);
  app.use((request, response) => {
    answerFault(response, {
      status: 404,
      code: 'not_found',
      message: `nothing at ${request.method} ${request.path}`,
    });
  });
  app.use((thrown: unknown, _request: Request, response: Response, next: NextFunction) => {
    const fault = toFault(thrown);
    if (fault.code === 'internal')
      logger?.error({ err: thrown, requestId: callOf(response).id }, 'a request failed');
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    // What is left of a body that was not read would stand before the next request.
    if (fault.status === 413) response.set('Connection', 'close');
    if (response.destroyed) next();
    else answerFault(response, fault);
  });
  return app;
}

function begin({ open, metrics, logger }: GatewayAppParts) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const call = new Call(requestId(request.get('X-Request-Id')));
    call.door = doorOf(request.path);
    putCall(response, call);
    response.set(SECURITY_HEADERS);
    response.set('X-Request-Id', call.id);
    const leave = open.enter();
    response.once('close', () => {
      leave();
      const isAnswered = response.writableFinished;
      if (!isAnswered) call.leave();
      const { id, door, texts, tokens, startedAtMs, key } = call;
      const seconds = (performance.now() - startedAtMs) / 1_000;
      const status = isAnswered ? response.statusCode : 499;
      metrics.ended({ door, status, seconds, texts, tokens });
      if (door === 'other') return;
      const { method, path } = request;
      logger?.info(
        {
          requestId: id,
          method,
          path,
          door,
          status,
          ms: Math.round(seconds * 1_000),
          texts,
          tokens,
          key: key?.name,
        },
        'request',
      );
    });
    next();
  };
}
