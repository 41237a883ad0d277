// A timer that is due, or a reply from Redis, waits no longer than this for work that is cut into pieces.
const MAX_TURN_MS = 1;

/**
 * Watches how long the main loop is in its present turn, so that work in small pieces can let it go on:
 * awaiting settled promises does not.
 */
export class LoopTurn {
  #beganMs: number | undefined;
  #end: Promise<void> = Promise.resolve();

  /** Asked before each piece. A turn begins with the first question. */
  get isLong(): boolean {
    const nowMs = performance.now();
    if (this.#beganMs !== undefined) return nowMs - this.#beganMs > MAX_TURN_MS;
    this.#beganMs = nowMs;
    this.#end = new Promise((resolve) => {
      setImmediate(() => {
        this.#beganMs = undefined;
        resolve();
      });
    });
    return false;
  }

  /** Resolves when the loop has gone on. */
  get end(): Promise<void> {
    return this.#end;
  }
}
