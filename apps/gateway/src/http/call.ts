import type { Response } from 'express';
import type { ApiKey } from '../keys/api-keys.ts';

/** The doors, as metrics and logs name them. */
export const DOORS = ['openai', 'native', 'tei', 'bert', 'other'] as const;
export type DoorName = (typeof DOORS)[number];

/** One HTTP request on its way through the gateway. */
export class Call {
  readonly id: string;
  readonly startedAtMs = performance.now();
  readonly #gone = new AbortController();
  door: DoorName = 'other';
  /** Who calls, where the gateway asks for keys. */
  key: ApiKey | undefined;
  /** Texts that were encoded for it, and their tokens. */
  texts = 0;
  tokens = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Aborts when nobody waits for the answer any more. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  leave(): void {
    this.#gone.abort();
  }
}

export function putCall(response: Response, call: Call): void {
  response.locals['call'] = call;
}

export function callOf(response: Response): Call {
  return response.locals['call'] as Call;
}
