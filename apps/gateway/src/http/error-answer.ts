import type { Response } from 'express';
import { openaiError } from '../openai/openai-error.ts';
import { teiError, teiStatus } from '../tei/tei-error.ts';
import { bertError } from '../bert-http/bert-error.ts';
import { callOf, type DoorName } from './call.ts';
import type { Fault } from './fault.ts';

const SHAPES: Readonly<Record<DoorName, (fault: Fault) => unknown>> = {
  openai: openaiError,
  tei: teiError,
  bert: bertError,
  native: nativeError,
  other: nativeError,
};

/** Answers with a fault in the shape of the door that the request came to. */
export function answerFault(response: Response, fault: Fault): void {
  const { status, retryAfterMs } = fault;
  if (retryAfterMs !== undefined) {
    response.set('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
    // Clients of OpenAI read it.
    response.set('Retry-After-Ms', String(Math.ceil(retryAfterMs)));
  }
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  const { door } = callOf(response);
  response.status(door === 'tei' ? teiStatus(fault) : status).json(SHAPES[door](fault));
}

function nativeError({ code, message, retryAfterMs }: Fault): unknown {
  return {
    error: {
      code,
      message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) }),
    },
  };
}
