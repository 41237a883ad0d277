import type { Logger } from '@embedfarm/service/logger';
import { FarmError } from '@embedfarm/contract';

/** Tells the log of each part that cannot be read, once until it can. */
export class FaultLog {
  readonly #logger: Logger | undefined;
  #known: ReadonlyMap<string, unknown> = new Map();

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** What failed in an update that got the rest. */
  tell(faults: ReadonlyMap<string, unknown>): void {
    for (const [what, fault] of faults) {
      if (this.#known.has(what)) continue;
      this.#logger?.warn(`dashboard: ${what} cannot be read: ${FarmError.from(fault).message}`);
    }
    this.#known = faults;
  }
}
