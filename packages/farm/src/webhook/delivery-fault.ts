import { FarmError } from '@embedfarm/contract';

/** An attempt that did not deliver. Its reason is kept with the request: a word, or `http_` and the status. */
export class DeliveryFault extends FarmError {
  readonly reason: string;
  /** How long the receiver wants to be left alone, in ms. */
  readonly retryAfterMs: number;

  constructor(
    reason: string,
    { retryAfterMs = 0, ...options }: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super('internal', `webhook not delivered: ${reason}`, options);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the receiver never wants to hear of it again. */
  get isFinal(): boolean {
    return this.reason === 'http_410';
  }
}
