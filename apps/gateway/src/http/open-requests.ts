import { FarmError } from '@embedfarm/contract';

/** When those that found no room may come back. */
const COME_BACK_MS = 1_000;

/** What the gateway holds at one time of requests, their bodies and vectors, and may hold. */
export class OpenRequests {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #requests = 0;
  #reading = 0;
  #bytes = 0;
  #onEmpty: (() => void) | undefined;

  constructor({ maxRequests, maxBytes }: { maxRequests: number; maxBytes: number }) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#requests;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  /** Counts a request until the function that it returns is called. */
  enter(): () => void {
    this.#requests += 1;
    return () => {
      this.#requests -= 1;
      if (this.#requests === 0) this.#onEmpty?.();
    };
  }

  /**
   * A request whose body is still on its way takes no place from others, until the function that it returns is called:
   * bodies may come as slowly as they like.
   */
  read(): () => void {
    this.#reading += 1;
    let isRead = false;
    return () => {
      if (!isRead) this.#reading -= 1;
      isRead = true;
    };
  }

  /** @throws FarmError `overloaded` where there are more than may be. Counts nothing. */
  check(): void {
    if (this.#requests - this.#reading <= this.#maxRequests) return;
    throw new FarmError('overloaded', `the gateway has ${this.#maxRequests} requests open, the limit`, {
      retryAfterMs: COME_BACK_MS,
    });
  }

  /**
   * Holds room for a body or vectors until the function that it returns is called.
   *
   * @throws FarmError `overloaded` where there is none.
   */
  hold(bytes: number): () => void {
    if (this.#bytes + bytes > this.#maxBytes && this.#bytes > 0) {
      throw new FarmError(
        'overloaded',
        `the gateway holds ${this.#bytes} bytes of bodies and vectors, ${bytes} more are over the limit of ${this.#maxBytes}`,
        { retryAfterMs: COME_BACK_MS },
      );
    }
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
    };
  }

  /** Resolves when no request is open. */
  async empty(): Promise<void> {
    if (this.#requests > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }
}
