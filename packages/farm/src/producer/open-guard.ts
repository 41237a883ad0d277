import { FarmError } from '@embedfarm/contract';
import { setMaxListeners } from 'node:events';

/** What ends with its producer: steps that a close cuts short reject with `cancelled`, whatever the connection says. */
export class OpenGuard {
  readonly #closed = new AbortController();

  constructor() {
    // Every step that is open listens: as many as there are calls.
    setMaxListeners(0, this.#closed.signal);
  }

  /** Aborts when the producer closes. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  close(): void {
    this.#closed.abort(closedFault());
  }

  /** @throws FarmError `cancelled` after the close. */
  check(): void {
    if (this.closed.aborted) throw closedFault();
  }

  async whileOpen<Value>(step: Promise<Value>): Promise<Value> {
    try {
      return await step;
    } catch (thrown) {
      this.check();
      throw FarmError.from(thrown);
    }
  }
}

function closedFault(): FarmError {
  return new FarmError('cancelled', 'the farm connection is closed');
}
