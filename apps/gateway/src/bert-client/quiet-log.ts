import type { Logger } from '@embedfarm/service/logger';

const EVERY_MS = 1_000;

/** Warnings of which a stranger can cause as many as he likes: one a second, which tells how many there were. */
export class QuietLog {
  readonly #logger: Logger | undefined;
  #silentUntilMs = 0;
  #unsaid = 0;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  warn(line: string): void {
    const nowMs = performance.now();
    if (nowMs < this.#silentUntilMs) {
      this.#unsaid += 1;
      return;
    }
    this.#silentUntilMs = nowMs + EVERY_MS;
    this.#logger?.warn(this.#unsaid === 0 ? line : `${line} (and ${this.#unsaid} more since the last)`);
    this.#unsaid = 0;
  }
}
