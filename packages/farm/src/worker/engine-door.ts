import { FarmError } from '@embedfarm/contract';

interface Waiter {
  /** How often this job has killed a process; undefined for one that shares the engine. */
  readonly deaths: number | undefined;
  readonly admit: () => void;
  readonly refuse: (error: FarmError) => void;
}

/**
 * Who may be in the engine together: jobs share it, a suspect has it for itself. First come, first
 * served, so neither keeps the other out for ever; of the suspects that wait, the one that has killed
 * the fewest processes goes first.
 */
export class EngineDoor {
  #inside = 0;
  #isTaken = false;
  #isClosed = false;
  #waiting: Waiter[] = [];

  /**
   * Enters together with others.
   *
   * @returns the way out, safe to call twice.
   * @throws FarmError `cancelled` on abort, or when the door is closed before it opens for this job.
   */
  enter(signal: AbortSignal): Promise<() => void> {
    return this.#enter(undefined, signal);
  }

  /** As `enter`, but nobody else is inside until this one has left. */
  enterAlone(deaths: number, signal: AbortSignal): Promise<() => void> {
    return this.#enter(deaths, signal);
  }

  /** Sends away who waits, and who comes. Who is inside may stay. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed());
  }

  async #enter(deaths: number | undefined, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw aborted();
    if (this.#isClosed) throw closed();
    let giveUp = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const waiter: Waiter = { deaths, admit: resolve, refuse: reject };
        giveUp = () => this.#remove(waiter);
        signal.addEventListener('abort', giveUp, { once: true });
        this.#waiting.push(waiter);
        this.#admit();
      });
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#inside -= 1;
      this.#isTaken = false;
      this.#admit();
    };
  }

  #remove(waiter: Waiter): void {
    if (!this.#waiting.includes(waiter)) return;
    this.#waiting = this.#waiting.filter((other) => other !== waiter);
    waiter.refuse(aborted());
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (!first || this.#isTaken) return;
      if (first.deaths !== undefined && this.#inside > 0) return;
      const next = first.deaths === undefined ? first : this.#leastDeadly(first);
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#inside += 1;
      this.#isTaken = next.deaths !== undefined;
      next.admit();
    }
  }

  #leastDeadly(first: Waiter): Waiter {
    return this.#waiting.reduce((least, waiter) => {
      const isLess = waiter.deaths !== undefined && waiter.deaths < (least.deaths ?? 0);
      return isLess ? waiter : least;
    }, first);
  }
}

function aborted(): FarmError {
  return new FarmError('cancelled', 'the chunk was aborted before it reached the engine');
}

function closed(): FarmError {
  return new FarmError('cancelled', 'the worker closes, the chunk goes back to the queue');
}
