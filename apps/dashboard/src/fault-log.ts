import type { Logger } from '@embedfarm/service/logger';
import { FarmError } from '@embedfarm/contract';

/** Tells the log of each part that cannot be read, once until it can. */
export class FaultLog {
  readonly #logger: Logger | undefined;
  readonly #known = new Set<string>();

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** What an update has asked for: with its fault, or undefined where it was read. */
  tell(outcomes: ReadonlyMap<string, unknown>): void {
    for (const [what, fault] of outcomes) {
      if (fault === undefined) this.#known.delete(what);
      else if (!this.#known.has(what)) {
        this.#known.add(what);
        this.#logger?.warn(`dashboard: ${what} cannot be read: ${FarmError.from(fault).message}`);
      }
    }
  }
}
