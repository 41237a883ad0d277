import { FarmError } from '@embedfarm/contract';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { OpenRequests } from './open-requests.ts';

/**
 * Reads a body of JSON into `request.body`. What has come of it is held until the answer is over; what was announced and
 * does not come takes no room from others, nor a place among the open requests.
 */
export function jsonBody(open: OpenRequests, maxBodyBytes: number): RequestHandler[] {
  const parse = express.json({ limit: maxBodyBytes });
  const read: RequestHandler = (request, response, next) => {
    if (request.is('application/json') === false) {
      throw new FarmError('invalid_argument', 'the body must be JSON, with Content-Type: application/json');
    }
    const end = open.read();
    response.once('close', end);
    let isRefused = false;
    const refuse = (thrown: unknown): void => {
      if (isRefused) return;
      isRefused = true;
      // The rest is not read.
      response.set('Connection', 'close');
      next(thrown);
    };
    // What is packed may have as much as one may have.
    if (isPacked(request)) response.once('close', open.hold(maxBodyBytes));
    else holdAsItComes(request, response, open, refuse);
    parse(request, response, (thrown?: unknown) => {
      end();
      if (isRefused) return;
      next(thrown ?? faultOf(request, open));
    });
  };
  return [read];
}

/** @returns undefined where there is none. */
function faultOf(request: Request, open: OpenRequests): unknown {
  if (request.body === undefined)
    return new FarmError('invalid_argument', 'the body is empty, JSON is needed');
  try {
    open.check();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

function isPacked({ headers }: Request): boolean {
  return (headers['content-encoding'] ?? 'identity') !== 'identity';
}

function holdAsItComes(
  request: Request,
  response: Response,
  open: OpenRequests,
  refuse: (thrown: unknown) => void,
): void {
  const releases: (() => void)[] = [];
  const take = ({ length }: Buffer): void => {
    try {
      releases.push(open.hold(length));
    } catch (thrown) {
      request.off('data', take);
      refuse(thrown);
    }
  };
  // The parser listens from this turn on too, so that it misses nothing.
  request.on('data', take);
  response.once('close', () => {
    for (const release of releases) release();
  });
}
