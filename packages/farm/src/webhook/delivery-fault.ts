import { FarmError, type FarmErrorOptions } from '@embedfarm/contract';

/** An attempt that did not deliver. Its reason is kept with the request: a word, or `http_` and the status. */
export class DeliveryFault extends FarmError {
  readonly reason: string;

  /** `retryAfterMs`: how long the receiver wants to be left alone. */
  constructor(reason: string, options: FarmErrorOptions = {}) {
    super('internal', `webhook not delivered: ${reason}`, options);
    this.reason = reason;
  }

  /** Whether the receiver never wants to hear of it again. */
  get isFinal(): boolean {
    return this.reason === 'http_410';
  }
}
