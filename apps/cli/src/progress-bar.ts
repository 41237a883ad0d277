const WIDTH = 30;

/** A bar on a terminal; nothing where the stream is none. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAtMs = performance.now();

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show({ done, total }: { done: number; total: number }): void {
    if (!this.#stream.isTTY) return;
    const filled = total === 0 ? WIDTH : Math.floor((done / total) * WIDTH);
    const textsPerSecond = done / ((performance.now() - this.#startedAtMs) / 1_000);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    this.#stream.write(`\r${bar} ${done}/${total} texts, ${textsPerSecond.toFixed(0)} texts/s\x1b[K`);
  }

  /** Leaves an empty line for what follows. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}
