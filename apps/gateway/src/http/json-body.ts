import { FarmError } from '@embedfarm/contract';
import express, { type RequestHandler } from 'express';
import type { OpenRequests } from './open-requests.ts';

/** Reads a body of JSON into `request.body`; what it takes is held until the answer is over. */
export function jsonBody(open: OpenRequests, maxBodyBytes: number): RequestHandler[] {
  const hold: RequestHandler = (request, response, next) => {
    if (request.is('application/json') === false) {
      throw new FarmError('invalid_argument', 'the body must be JSON, with Content-Type: application/json');
    }
    const release = open.hold(bodyBytes(request.headers, maxBodyBytes));
    response.once('close', release);
    next();
  };
  const check: RequestHandler = (request, _response, next) => {
    if (request.body === undefined)
      throw new FarmError('invalid_argument', 'the body is empty, JSON is needed');
    next();
  };
  return [hold, express.json({ limit: maxBodyBytes }), check];
}

/** What is packed, or does not say how long it is, may have as much as one may have. */
function bodyBytes(headers: { readonly [name: string]: unknown }, maxBodyBytes: number): number {
  const length = Number(headers['content-length'] ?? Number.NaN);
  const isPacked = (headers['content-encoding'] ?? 'identity') !== 'identity';
  return isPacked || !Number.isFinite(length) ? maxBodyBytes : Math.min(length, maxBodyBytes);
}
