import type { Response } from 'express';
import type { Answer } from './api.ts';

/** JSON that nobody keeps. */
export function send(response: Response, { status, body }: Answer): void {
  response.status(status).set('Cache-Control', 'no-store').json(body);
}

/** `{ error: { code, message } }` for what is no fault of the farm's. */
export function refusal(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } };
}

/** What Express throws on a broken request has a status; its message may hold paths and stays here. */
export function requestFailure(error: unknown): Answer {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status === 413) return refusal(413, 'invalid_argument', 'the body is too large');
  return status >= 400 && status < 500
    ? refusal(status, 'invalid_argument', 'the request is malformed')
    : refusal(500, 'internal', 'the dashboard failed; its log says more');
}
